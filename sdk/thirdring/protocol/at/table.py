"""Every command of the console, once: how it may be written and what it does.

``forms`` holds letters of ``parse.Op``: ``a`` act, ``r`` read ``?``, ``t`` test ``=?``, ``s`` set ``=``.
``values`` is what ``=?`` answers for standard commands; for ours it answers ``syntax`` and ``help``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TABLE", "CommandSpec", "test_lines"]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command; ``help`` is one line and names every field with its unit."""

    name: str
    forms: str
    syntax: str
    help: str
    values: str = ""


_BASIC: Final = (
    CommandSpec("A", "a", "ATA", "answer the call that rings"),
    CommandSpec(
        "D", "a", "ATD<number>;", "call number; ATDL; calls the last one again; without ; wait for it"
    ),
    CommandSpec("E", "a", "ATE<0|1>", "echo"),
    CommandSpec("H", "a", "ATH", "hang up, refuse or give up the call"),
    CommandSpec("I", "a", "ATI", "maker, model, version"),
    CommandSpec("L", "a", "ATL<0..3>", "speaker loudness: kept, without effect"),
    CommandSpec("M", "a", "ATM<0..2>", "speaker use: kept, without effect"),
    CommandSpec("P", "a", "ATP", "pulse dialling: without effect"),
    CommandSpec("Q", "a", "ATQ<0|1>", "1: no result codes"),
    CommandSpec(
        "S",
        "ars",
        "ATS<n>=<value>, ATS<n>?",
        "registers: 0 rings until auto-answer (0 never), 7 s to connect",
    ),
    CommandSpec("T", "a", "ATT", "tone dialling: without effect"),
    CommandSpec("V", "a", "ATV<0|1>", "result codes as 0 numbers, 1 words"),
    CommandSpec("X", "a", "ATX<0..4>", "0, 1: no BUSY, no NO DIALTONE; 2: NO DIALTONE; 3: BUSY; 4: both"),
    CommandSpec("Z", "a", "ATZ", "this console's settings to their defaults; calls go on"),
    CommandSpec("&C", "a", "AT&C<0|1>", "carrier detect line: kept, without effect"),
    CommandSpec("&D", "a", "AT&D<0..3>", "terminal ready line: kept, without effect"),
    CommandSpec("&F", "a", "AT&F", "as ATZ"),
)

_STANDARD: Final = (
    CommandSpec("+GCAP", "at", "AT+GCAP", "capabilities"),
    CommandSpec("+GMI", "at", "AT+GMI", "maker"),
    CommandSpec("+GMM", "at", "AT+GMM", "model"),
    CommandSpec("+GMR", "at", "AT+GMR", "version"),
    CommandSpec("+GSN", "at", "AT+GSN", "serial number of the appliance"),
    CommandSpec("+CGMI", "at", "AT+CGMI", "maker"),
    CommandSpec("+CGMM", "at", "AT+CGMM", "model"),
    CommandSpec("+CGMR", "at", "AT+CGMR", "version"),
    CommandSpec("+CGSN", "at", "AT+CGSN", "serial number of the appliance"),
    CommandSpec("+CLAC", "at", "AT+CLAC", "all commands"),
    CommandSpec("+CMEE", "rts", "AT+CMEE=<0|1|2>", "failures as ERROR, number or text", "(0-2)"),
    CommandSpec("+CREG", "rts", "AT+CREG=<0|1>", "registration; 1 reports changes", "(0,1)"),
    CommandSpec("+CLIP", "rts", "AT+CLIP=<0|1>", "caller's number with each RING", "(0,1)"),
    CommandSpec("+COLP", "rts", "AT+COLP=<0|1>", "1: ATD...; answers when the other side has", "(0,1)"),
    CommandSpec("+CRC", "rts", "AT+CRC=<0|1>", "1: +CRING: VOICE instead of RING", "(0,1)"),
    CommandSpec("+CLCC", "at", "AT+CLCC", 'calls: id,dir(0 ours,1 theirs),stat,mode,mpty,"number",type'),
    CommandSpec("+CEER", "at", "AT+CEER", "why the last call ended: cause, SIP code, words"),
    CommandSpec("+CHUP", "at", "AT+CHUP", "hang up, refuse or give up the call"),
    CommandSpec(
        "+CHLD",
        "ts",
        "AT+CHLD=<n>",
        "0 refuse the waiting call or release the held one; 1 release the active call and take the other;"
        " 1x release call x; 2 hold the active call and take the other; 2x hold all but call x;"
        " 3 conference; 4 hand the first call on to the second",
        "(0,1,1x,2,2x,3,4)",
    ),
    CommandSpec(
        "+CLIR",
        "rts",
        "AT+CLIR=<0|1|2>",
        "1 withholds our number from whom we call (ATD...I; for one call), 0 and 2 show it (ATD...i;)",
        "(0-2)",
    ),
    CommandSpec(
        "+CIND",
        "rt",
        "AT+CIND?",
        "service (0, 1: the trunk is there),signal (0, 5: same),call (0, 1),callsetup (0 none, 1 incoming,"
        " 2 dialled, 3 rings there),callheld (0 none, 1 beside another call, 2 only)",
        '("service",(0,1)),("signal",(0-5)),("call",(0,1)),("callsetup",(0-3)),("callheld",(0-2))',
    ),
    CommandSpec(
        "+CMER",
        "rts",
        "AT+CMER=<mode>,0,0,<0|1>",
        "mode 1 to 3 and then 1: each change of +CIND is reported as +CIEV: place,value",
        "(0-3),(0),(0),(0,1),(0,1)",
    ),
    CommandSpec("+CPAS", "at", "AT+CPAS", "0 ready, 3 rings, 4 a call is there", "(0,3,4)"),
    CommandSpec(
        "+CSQ", "at", "AT+CSQ", "signal: 31 the trunk is there, 99 it is not; then always 99", "(31,99),(99)"
    ),
    CommandSpec(
        "+CLVL",
        "rts",
        "AT+CLVL=<0..40>",
        "volume of the ear in dB above the softest (headset.ear_db)",
        "(0-40)",
    ),
    CommandSpec("+CUSD", "rts", "AT+CUSD=<0>", "a SIP trunk has no USSD: everything but 0 fails", "(0)"),
    CommandSpec("+CMUT", "rts", "AT+CMUT=<0|1>", "1: the customer does not hear the agent", "(0,1)"),
    CommandSpec(
        "+CCWA",
        "rts",
        "AT+CCWA=[<0|1>][,<0|1|2>]",
        "1 reports a waiting call as +CCWA: number,type,class; then let calls wait: 0 no, 1 yes, 2 show",
        "(0,1)",
    ),
    CommandSpec(
        "+VTS",
        "ts",
        "AT+VTS=<digit>[,<digit>...], AT+VTS={<digit>,<tenths>}[,...]",
        "send DTMF; in braces with its length in tenths of a second",
        "(0-9,*,#,A-D),(1-50)",
    ),
    CommandSpec(
        "+VTD", "rts", "AT+VTD=<tenths>", "length of a digit in tenths of a second; 0: as set", "(0-50)"
    ),
    CommandSpec("+CPIN", "rt", "AT+CPIN?", "there is no PIN: READY"),
    CommandSpec("+CMGF", "rts", "AT+CMGF=0", "message format: there are no messages", "(0)"),
    CommandSpec("+CSCA", "rt", "AT+CSCA?", "message centre: there is none, +CMS ERROR: 330"),
)

_OURS: Final = (
    CommandSpec(
        "#STATE",
        "rt",
        "AT#STATE?",
        "version,board,SIP stack,trunk,trunk reason,storage,strangers refused,last event,trunk SIP code,"
        "agent,agent state; then per call"
        " #STATECALL: call_id,index,direction,state,number,name,rings,started (UTC),"
        "held by customer,muted,waiting,conference,recording (off,on,paused)",
    ),
    CommandSpec("#CALLS", "ats", "AT#CALLS[=<limit>]", "newest calls first, as in AT#CALL"),
    CommandSpec(
        "#CALL",
        "ts",
        "AT#CALL=<call_id>",
        "call_id,direction,number,name,state,started (UTC),answered (UTC),ended (UTC),ended by,cause,"
        "wait (s),talk (s),rings heard; then its #NORM lines",
    ),
    CommandSpec(
        "#CALLEVENTS", "ts", "AT#CALLEVENTS=<call_id>", "events of a call in order, one JSON object a line"
    ),
    CommandSpec(
        "#NORM",
        "rts",
        "AT#NORM?, AT#NORM=<call_id>",
        "rule,verdict,value,unit,threshold (in unit),reason,call_id; ? means the current or last call;"
        " the same line is reported when a norm's state changes and at its verdict",
    ),
    CommandSpec(
        "#RINGS",
        "rt",
        "AT#RINGS?",
        "rings the caller has heard begin,wait (s),urgency,call_id of the current or last call;"
        " each ring is reported as #RING: ring,urgency",
    ),
    CommandSpec(
        "#LEVEL",
        "rt",
        "AT#LEVEL?",
        "active speech level of agent before AGC (dBov),agent after AGC (dBov),customer (dBov),AGC gain (dB),"
        "signal time (s),sliding or whole,call_id",
    ),
    CommandSpec(
        "#TRUNK",
        "rt",
        "AT#TRUNK?",
        "state (static, registering, registered, refused, unreachable),SIP code,reason;"
        " a change is reported as the same line",
    ),
    CommandSpec(
        "#HEADSET",
        "rt",
        "AT#HEADSET?",
        "sound device,present or lost; a change is reported as the same line; volume: +CLVL, lamps: #LED",
    ),
    CommandSpec(
        "#SELFTEST",
        "at",
        "AT#SELFTEST",
        "item,result (ok, warning, failed),what was found, a line each; the last is unit;"
        " takes seconds, refused while a call is there",
    ),
    CommandSpec(
        "#RESET",
        "ts",
        'AT#RESET="<serial number>"',
        "wipe journal, recordings, settings, keys and passwords, and start anew; the number is that of +CGSN;"
        " refused while a call is there",
    ),
    CommandSpec(
        "#UPDATE",
        "rts",
        'AT#UPDATE="<url>"[,<force>[,<wait>]]',
        "begin an update of the unit (force 1: also an older one; wait 1: for the call that is up);"
        " ? answers phase (idle, waiting, fetching, checking, installing, restarting, trial, done, failed),"
        "percent,new version,code of the failure,what it was,version that runs,its slot",
    ),
    CommandSpec(
        "#LOG",
        "ats",
        "AT#LOG[=<count>]",
        "what happened to the unit and its calls, the newest last: one JSON object a line, 20 or count",
    ),
    CommandSpec("#REPORT", "ts", "AT#REPORT=<call_id>[,text|json|html]", "report of a call, line by line"),
    CommandSpec(
        "#SPEAK", "ts", 'AT#SPEAK="<path>"', 'play a file as the agent (simulator); "" stops; answers s'
    ),
    CommandSpec(
        "#BTN",
        "ts",
        'AT#BTN="<button>"',
        "press a button of the simulated headset: hook, mute, flash, hold, drop, reject, redial",
    ),
    CommandSpec(
        "#LED",
        "rt",
        "AT#LED?",
        "lamps of the headset that are lit,headset's name; no name: no headset with buttons",
    ),
    CommandSpec("#GET", "ats", 'AT#GET[="<name>"]', "settings: name,value,unit,description"),
    CommandSpec(
        "#SET", "ts", 'AT#SET="<name>",<value>[,"<name>",<value>...]', "change settings, all or none"
    ),
    CommandSpec(
        "#AGENT",
        "rts",
        'AT#AGENT=<ready|break|away>[,"<agent>"[,"<reason>"]]',
        "state of the agent, as soon as no call stands in the way; ? answers state,agent",
    ),
    CommandSpec(
        "#LIST",
        "ts",
        'AT#LIST=<notes|contacts|callbacks|prompts>[,"<call_id or number>"]',
        "the agent's work and prompts, one JSON object a line; written by AT#DO with take_notes,"
        " save_contact, remove_contact, finish_call_back",
    ),
    CommandSpec(
        "#FIGURES",
        "ats",
        'AT#FIGURES[="<from>","<to>"[,hour|day|agent|all[,json]]]',
        "key figures by local time (ISO 8601), a line a row: label,offered,answered,abandoned,short abandons,"
        "service level (%),ignoring abandons (%),speed of answer (s),handling time (s),occupancy (%),"
        "transferred (%),first-call resolution (%),repeat calls; the last line is the whole",
    ),
    CommandSpec(
        "#FORECAST",
        "at",
        "AT#FORECAST",
        "by hour of the week: weekday (0 Monday),hour,calls expected,load (erlang),agents,scheduled",
    ),
    CommandSpec(
        "#STAFFING",
        "ts",
        "AT#STAFFING=<calls per hour>[,<handling time (s)>]",
        "Erlang C: agents,scheduled,waiting (%),service level (%),speed of answer (s),occupancy (%)",
    ),
    CommandSpec("#FORWARD", "ts", "AT#FORWARD=<number>", "send the ringing call on to number (302)"),
    CommandSpec(
        "#TRANSFER",
        "ts",
        "AT#TRANSFER=<number>[,<consent>]",
        "hand the customer on to number; consent 1: the customer agreed",
    ),
    CommandSpec(
        "#REC",
        "rts",
        "AT#REC=<0|1>",
        "0: record silence of the call, 1: record its sound again; ? answers off, on or paused per call:"
        " state,call_id",
    ),
    CommandSpec(
        "#EVENTS",
        "rts",
        "AT#EVENTS=<after>, AT#EVENTS=off",
        "report every event numbered above after as #EVENT: JSON; ? answers on or off,last number reported",
    ),
    CommandSpec(
        "#URC",
        "rts",
        "AT#URC=<0|1>",
        "1 reports #RING, #NORM and #PROGRESS; 0, the default: modem software trips over them",
    ),
    CommandSpec(
        "#VERBOSE",
        "rts",
        "AT#VERBOSE=<0|1>",
        "1: JSON answers as #RESULT, failures as #ERROR: code,detail,meaning",
    ),
    CommandSpec(
        "#DO", "ts", 'AT#DO={"command":...,"args":{...}}', "any engine command as JSON, answers #RESULT"
    ),
    CommandSpec(
        "#LOGIN",
        "rts",
        'AT#LOGIN="<password>"',
        "open a locked console until its host hangs up, is idle (serial.lock_idle_s), or #LOGOUT;"
        " ? answers 1 locked or 0 open,wait after wrong passwords (s)",
    ),
    CommandSpec("#LOGOUT", "at", "AT#LOGOUT", "lock this console, where serial.lock is on"),
    CommandSpec(
        "#PASSWORD",
        "ts",
        'AT#PASSWORD="<old>","<new>"',
        'set the password of the consoles, 8 to 64 characters; old is "" the first time',
    ),
    CommandSpec("#SYNC", "ts", 'AT#SYNC="<word>"', "answers word: tells a host where its answers begin"),
    CommandSpec("#HELP", "at", "AT#HELP", "this list: syntax, meaning"),
)

TABLE: Final[Mapping[str, CommandSpec]] = {spec.name: spec for spec in (*_BASIC, *_STANDARD, *_OURS)}


def test_lines(spec: CommandSpec) -> list[str]:
    """Return what ``=?`` answers."""
    if spec.name.startswith("#"):
        return [f"{spec.name}: {spec.syntax}", f"{spec.name}: {spec.help}"]
    return [f"{spec.name}: {spec.values}"] if spec.values else []
