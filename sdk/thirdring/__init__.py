"""Host SDK of the Thirdring call-centre desk appliance.

    from thirdring import Appliance

    with Appliance("http://127.0.0.1:8080", token_file="run/api-token") as desk:
        before = desk.state().last_event
        call_id = desk.dial("10086")
        desk.wait_for("call_answered", timeout_s=30, after=before)
        desk.hangup()
        print(desk.report(call_id))

``AsyncAppliance`` has the same methods for asyncio. Errors are ``ThirdringError`` and its families. Nothing
but the names that are used is imported.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from thirdring.aio import AsyncAppliance
    from thirdring.appliance import Appliance
    from thirdring.discovery import FoundAppliance, discover
    from thirdring.protocol.errors import (
        ERRORS,
        AccessError,
        ApplianceError,
        CallError,
        ConnectionLost,
        MediaError,
        RequestError,
        StorageError,
        ThirdringError,
        TrunkError,
        WaitTimeout,
    )
    from thirdring.protocol.events import (
        EVENT_KINDS,
        SILENCE_DBOV,
        AgentRequested,
        AgentStateChanged,
        AgentStateRequested,
        AutoAnswered,
        CallAlerting,
        CallAnswered,
        CallBackListed,
        CallEnded,
        CallIncoming,
        CallOutgoing,
        CallProgress,
        CallQuality,
        CallReturned,
        ConferenceEnded,
        ConferenceStarted,
        ContactRemoved,
        ContactSaved,
        DeadAir,
        DialRefused,
        Dtmf,
        EngineStarted,
        EngineStopped,
        Event,
        HeadsetButton,
        HeadsetButtonsChanged,
        HeadsetChanged,
        HoldEnded,
        HoldStarted,
        Interruption,
        Levels,
        LevelSummary,
        MediaEnded,
        MediaStarted,
        MuteEnded,
        MuteStarted,
        NormNoted,
        NotesTaken,
        Overlap,
        Prompt,
        Record,
        RecordingDeleted,
        RecordingEnded,
        RecordingPaused,
        RecordingRead,
        RecordingResumed,
        RecordingStarted,
        RequestFailed,
        RingBurst,
        RingOverflow,
        SettingsChanged,
        StorageChanged,
        StrangerRefused,
        SurveyEnded,
        SurveyStarted,
        TalkSpurt,
        TalkSpurtStarted,
        TalkSummary,
        ToneHeard,
        TransferProgress,
        TrunkChanged,
        UnknownEvent,
        Verdict,
        VoiceFigures,
        VoiceSummary,
    )
    from thirdring.protocol.figures import (
        FORMULAS,
        FiguresReport,
        FiguresRow,
        Forecast,
        ForecastHour,
        Formula,
        NormScore,
        Staffing,
    )
    from thirdring.protocol.views import (
        CallBackView,
        CallDetail,
        CallSummary,
        CallView,
        ContactView,
        DeadLetterView,
        DeskState,
        HeadsetTest,
        HeadsetView,
        HookView,
        NotesView,
        PromptView,
        RecordingView,
        SettingView,
        TrunkTrial,
        UpdatePhase,
        UpdateState,
    )
    from thirdring.reconnect import Reconnect

__all__ = [
    "ERRORS",
    "EVENT_KINDS",
    "FORMULAS",
    "SILENCE_DBOV",
    "AccessError",
    "AgentRequested",
    "AgentStateChanged",
    "AgentStateRequested",
    "Appliance",
    "ApplianceError",
    "AsyncAppliance",
    "AutoAnswered",
    "CallAlerting",
    "CallAnswered",
    "CallBackListed",
    "CallBackView",
    "CallDetail",
    "CallEnded",
    "CallError",
    "CallIncoming",
    "CallOutgoing",
    "CallProgress",
    "CallQuality",
    "CallReturned",
    "CallSummary",
    "CallView",
    "ConferenceEnded",
    "ConferenceStarted",
    "ConnectionLost",
    "ContactRemoved",
    "ContactSaved",
    "ContactView",
    "DeadAir",
    "DeadLetterView",
    "DeskState",
    "DialRefused",
    "Dtmf",
    "EngineStarted",
    "EngineStopped",
    "Event",
    "FiguresReport",
    "FiguresRow",
    "Forecast",
    "ForecastHour",
    "Formula",
    "FoundAppliance",
    "HeadsetButton",
    "HeadsetButtonsChanged",
    "HeadsetChanged",
    "HeadsetTest",
    "HeadsetView",
    "HoldEnded",
    "HoldStarted",
    "HookView",
    "Interruption",
    "LevelSummary",
    "Levels",
    "MediaEnded",
    "MediaError",
    "MediaStarted",
    "MuteEnded",
    "MuteStarted",
    "NormNoted",
    "NormScore",
    "NotesTaken",
    "NotesView",
    "Overlap",
    "Prompt",
    "PromptView",
    "Reconnect",
    "Record",
    "RecordingDeleted",
    "RecordingEnded",
    "RecordingPaused",
    "RecordingRead",
    "RecordingResumed",
    "RecordingStarted",
    "RecordingView",
    "RequestError",
    "RequestFailed",
    "RingBurst",
    "RingOverflow",
    "SettingView",
    "SettingsChanged",
    "Staffing",
    "StorageChanged",
    "StorageError",
    "StrangerRefused",
    "SurveyEnded",
    "SurveyStarted",
    "TalkSpurt",
    "TalkSpurtStarted",
    "TalkSummary",
    "ThirdringError",
    "ToneHeard",
    "TransferProgress",
    "TrunkChanged",
    "TrunkError",
    "TrunkTrial",
    "UnknownEvent",
    "UpdatePhase",
    "UpdateState",
    "Verdict",
    "VoiceFigures",
    "VoiceSummary",
    "WaitTimeout",
    "discover",
]

_SOURCES: Final = (
    "thirdring.protocol.errors",
    "thirdring.protocol.events",
    "thirdring.protocol.views",
    "thirdring.protocol.figures",
    "thirdring.reconnect",
    "thirdring.discovery",
    "thirdring.aio",
    "thirdring.appliance",
)
"""Searched in this order, the light ones first."""


def __getattr__(name: str) -> Any:
    """Import an exported name when it is first used (PEP 562)."""
    if name in __all__:
        for source in _SOURCES:
            module = importlib.import_module(source)
            if name in module.__all__:
                value = getattr(module, name)
                globals()[name] = value
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
