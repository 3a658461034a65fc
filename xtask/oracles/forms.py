"""The forms in which `livedump --json` tells things, for judges that tell them otherwise."""

import datetime

EPOCH = datetime.datetime(1601, 1, 1)
SIGN = 0xFFFF << 48


def address(value):
    """16 digits; nothing for 0. Cut to 48 bits, as volatility3 does it, it is sign-extended again."""
    value = int(value)
    if not value:
        return None
    return f"{value | SIGN if value >> 47 & 1 else value:016x}"


def time(ticks):
    """Of 100 ns since 1601; nothing for 0."""
    if not int(ticks):
        return None
    return (EPOCH + datetime.timedelta(seconds=int(ticks) // 10**7)).isoformat() + "Z"


# KTHREAD_STATE and KWAIT_REASON of wdm.h and ntddk.h, for a judge that tells numbers.
STATES = "Initialized Ready Running Standby Terminated Waiting Transition DeferredReady GateWaitObsolete"
STATES = (STATES + " WaitingForProcessInSwap").split()
WAIT_REASONS = """
Executive FreePage PageIn PoolAllocation DelayExecution Suspended UserRequest WrExecutive WrFreePage WrPageIn
WrPoolAllocation WrDelayExecution WrSuspended WrUserRequest WrSpare0 WrQueue WrLpcReceive WrLpcReply WrVirtualMemory
WrPageOut WrRendezvous WrKeyedEvent WrTerminated WrProcessInSwap WrCpuRateControl WrCalloutStack WrKernel WrResource
WrPushLock WrMutex WrQuantumEnd WrDispatchInt WrPreempted WrYieldExecution WrFastMutex WrGuardedMutex WrRundown
WrAlertByThreadId WrDeferredPreempt WrPhysicalFault
""".split()


def wait_reason(state, number):
    """It means something of a waiting thread only."""
    return WAIT_REASONS[int(number)] if state == "Waiting" else None
