"""Web hooks: events of the journal posted to other people's servers, in order, until they are taken."""
