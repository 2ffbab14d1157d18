/*
 * What common events mean, in a few words. By the log (for the classic logs System and Application,
 * where ids are each provider's own, by the provider), then the code.
 */
#include "base/locale.h"
#include "report/metrics_internal.h"

#include <stdlib.h>

struct meaning {
    unsigned code;
    const char *text;
};

static const struct meaning security[] = {
    {1100, N_("event log service shut down")},
    {1102, N_("security log cleared")},
    {1104, N_("security log full")},
    {4608, N_("Windows starts")},
    {4616, N_("system time changed")},
    {4624, N_("logon")},
    {4625, N_("logon failed")},
    {4627, N_("group membership at logon")},
    {4634, N_("logoff")},
    {4647, N_("logoff by the user")},
    {4648, N_("logon with explicit credentials")},
    {4656, N_("handle to an object requested")},
    {4657, N_("registry value changed")},
    {4658, N_("handle closed")},
    {4660, N_("object deleted")},
    {4661, N_("handle to a directory object requested")},
    {4662, N_("operation on a directory object")},
    {4663, N_("access to an object")},
    {4670, N_("permissions of an object changed")},
    {4672, N_("special privileges at logon")},
    {4673, N_("privileged service called")},
    {4674, N_("operation on a privileged object")},
    {4688, N_("process created")},
    {4689, N_("process ended")},
    {4690, N_("handle duplicated")},
    {4692, N_("backup of the data protection master key")},
    {4697, N_("service installed")},
    {4698, N_("scheduled task created")},
    {4699, N_("scheduled task deleted")},
    {4700, N_("scheduled task enabled")},
    {4701, N_("scheduled task disabled")},
    {4702, N_("scheduled task changed")},
    {4703, N_("token right adjusted")},
    {4704, N_("user right assigned")},
    {4717, N_("system access granted to an account")},
    {4719, N_("audit policy changed")},
    {4720, N_("account created")},
    {4722, N_("account enabled")},
    {4723, N_("password change attempted")},
    {4724, N_("password reset attempted")},
    {4725, N_("account disabled")},
    {4726, N_("account deleted")},
    {4728, N_("member added to a global group")},
    {4729, N_("member removed from a global group")},
    {4731, N_("local group created")},
    {4732, N_("member added to a local group")},
    {4733, N_("member removed from a local group")},
    {4738, N_("account changed")},
    {4740, N_("account locked out")},
    {4741, N_("computer account created")},
    {4742, N_("computer account changed")},
    {4756, N_("member added to a universal group")},
    {4767, N_("account unlocked")},
    {4768, N_("Kerberos ticket requested")},
    {4769, N_("Kerberos service ticket requested")},
    {4770, N_("Kerberos service ticket renewed")},
    {4771, N_("Kerberos pre-authentication failed")},
    {4776, N_("NTLM credentials checked")},
    {4778, N_("session reconnected")},
    {4779, N_("session disconnected")},
    {4781, N_("account renamed")},
    {4798, N_("local groups of an account listed")},
    {4799, N_("members of a local group listed")},
    {4800, N_("workstation locked")},
    {4801, N_("workstation unlocked")},
    {4825, N_("remote desktop access denied")},
    {4907, N_("audit settings of an object changed")},
    {4946, N_("firewall rule added")},
    {4947, N_("firewall rule changed")},
    {5038, N_("code integrity: wrong hash of a file")},
    {5058, N_("key file operation")},
    {5059, N_("key migration")},
    {5061, N_("cryptographic operation")},
    {5136, N_("directory object changed")},
    {5137, N_("directory object created")},
    {5140, N_("network share accessed")},
    {5142, N_("network share added")},
    {5145, N_("file on a share checked for access")},
    {5152, N_("packet blocked by the filtering platform")},
    {5154, N_("listening allowed")},
    {5156, N_("connection allowed")},
    {5157, N_("connection blocked")},
    {5158, N_("local port bound")},
    {5379, N_("stored credentials read")},
    {5381, N_("vault credentials read")},
    {0, NULL},
};

static const struct meaning sysmon[] = {
    {1, N_("process created")},
    {2, N_("file creation time changed")},
    {3, N_("network connection")},
    {4, N_("Sysmon service state changed")},
    {5, N_("process ended")},
    {6, N_("driver loaded")},
    {7, N_("image loaded")},
    {8, N_("remote thread created")},
    {9, N_("raw disk access")},
    {10, N_("process accessed")},
    {11, N_("file created")},
    {12, N_("registry key created or deleted")},
    {13, N_("registry value set")},
    {14, N_("registry key or value renamed")},
    {15, N_("file stream created")},
    {16, N_("Sysmon configuration changed")},
    {17, N_("pipe created")},
    {18, N_("pipe connected")},
    {19, N_("WMI filter registered")},
    {20, N_("WMI consumer registered")},
    {21, N_("WMI consumer bound to a filter")},
    {22, N_("DNS query")},
    {23, N_("file deleted, kept")},
    {24, N_("clipboard changed")},
    {25, N_("process image tampered with")},
    {26, N_("file deleted")},
    {27, N_("executable file blocked")},
    {28, N_("file shredding blocked")},
    {29, N_("executable file detected")},
    {255, N_("Sysmon error")},
    {0, NULL},
};

static const struct meaning powershell[] = {
    {4100, N_("PowerShell error")},
    {4103, N_("PowerShell pipeline run")},
    {4104, N_("PowerShell script block")},
    {4105, N_("script block begins")},
    {4106, N_("script block ends")},
    {40961, N_("PowerShell console starts")},
    {40962, N_("PowerShell console ready")},
    {53504, N_("PowerShell listens for remote use")},
    {0, NULL},
};

static const struct meaning powershell_classic[] = {
    {400, N_("PowerShell engine started")},
    {403, N_("PowerShell engine stopped")},
    {500, N_("command started")},
    {501, N_("command stopped")},
    {600, N_("PowerShell provider started")},
    {800, N_("PowerShell pipeline run")},
    {0, NULL},
};

static const struct meaning defender[] = {
    {1000, N_("malware scan started")},
    {1001, N_("malware scan finished")},
    {1006, N_("malware found")},
    {1007, N_("action taken against malware")},
    {1013, N_("malware history deleted")},
    {1015, N_("suspicious behaviour found")},
    {1116, N_("malware found")},
    {1117, N_("action taken against malware")},
    {1118, N_("action against malware failed")},
    {1119, N_("action against malware failed gravely")},
    {2001, N_("update of malware definitions failed")},
    {5001, N_("real-time protection disabled")},
    {5004, N_("real-time protection configuration changed")},
    {5007, N_("Defender configuration changed")},
    {5010, N_("scanning for malware disabled")},
    {5012, N_("scanning for viruses disabled")},
    {0, NULL},
};

static const struct meaning rdp_session[] = {
    {21, N_("RDP session begins")},
    {22, N_("RDP shell starts")},
    {23, N_("RDP session ends")},
    {24, N_("RDP session cut")},
    {25, N_("RDP session goes on")},
    {39, N_("RDP session cut by another session")},
    {40, N_("RDP session cut, with a reason")},
    {0, NULL},
};
static const struct meaning rdp_connect[] = {{1149, N_("RDP connection")}, {0, NULL}};

static const struct meaning tasks[] = {
    {100, N_("scheduled task started")},
    {102, N_("scheduled task finished")},
    {106, N_("scheduled task registered")},
    {129, N_("process of a scheduled task created")},
    {140, N_("scheduled task changed")},
    {141, N_("scheduled task deleted")},
    {200, N_("action of a scheduled task started")},
    {201, N_("action of a scheduled task finished")},
    {0, NULL},
};

static const struct meaning wmi[] = {
    {5857, N_("WMI provider loaded")},
    {5858, N_("WMI operation failed")},
    {5859, N_("WMI filter active")},
    {5860, N_("WMI consumer active until restart")},
    {5861, N_("WMI consumer bound to a filter")},
    {0, NULL},
};

static const struct meaning bits[] = {
    {3, N_("transfer job created")}, {4, N_("transfer job finished")}, {59, N_("transfer started")},
    {60, N_("transfer stopped")},    {61, N_("transfer failed")},      {0, NULL},
};

static const struct meaning winrm[] = {
    {6, N_("remote management session begins")},
    {91, N_("remote management shell created")},
    {168, N_("remote management request authenticated")},
    {0, NULL},
};

static const struct meaning service_control[] = {
    {7031, N_("service ended unexpectedly")}, {7034, N_("service ended unexpectedly")},
    {7036, N_("service started or stopped")}, {7040, N_("start type of a service changed")},
    {7045, N_("service installed")},          {0, NULL},
};
static const struct meaning event_log[] = {
    {104, N_("event log cleared")},
    {6005, N_("event log service started")},
    {6006, N_("event log service stopped")},
    {6008, N_("unexpected shutdown before")},
    {6013, N_("uptime")},
    {0, NULL},
};
static const struct meaning kernel_general[] = {
    {1, N_("system time changed")},
    {12, N_("Windows starts")},
    {13, N_("Windows shuts down")},
    {0, NULL},
};
static const struct meaning kernel_power[] = {
    {41, N_("restarted without a clean shutdown")}, {42, N_("goes to sleep")}, {0, NULL}};
static const struct meaning user32[] = {{1074, N_("shutdown asked for")}, {0, NULL}};
static const struct meaning errors[] = {
    {1000, N_("application crashed")}, {1001, N_("crash reported")}, {0, NULL}};
static const struct meaning hangs[] = {{1002, N_("application hung")}, {0, NULL}};
static const struct meaning installer[] = {
    {1033, N_("product installed")},
    {1034, N_("product removed")},
    {11707, N_("product installed")},
    {11724, N_("product removed")},
    {0, NULL},
};

/* By log or provider: the names do not meet. */
static const struct {
    const char *name;
    const struct meaning *meanings;
} logs[] = {
    {"Security", security},
    {"Microsoft-Windows-Sysmon/Operational", sysmon},
    {"Microsoft-Windows-PowerShell/Operational", powershell},
    {"PowerShellCore/Operational", powershell},
    {"Windows PowerShell", powershell_classic},
    {"Microsoft-Windows-Windows Defender/Operational", defender},
    {"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", rdp_session},
    {"Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", rdp_connect},
    {"Microsoft-Windows-TaskScheduler/Operational", tasks},
    {"Microsoft-Windows-WMI-Activity/Operational", wmi},
    {"Microsoft-Windows-Bits-Client/Operational", bits},
    {"Microsoft-Windows-WinRM/Operational", winrm},
    {"Service Control Manager", service_control},
    {"Microsoft-Windows-Eventlog", event_log},
    {"EventLog", event_log},
    {"Microsoft-Windows-Kernel-General", kernel_general},
    {"Microsoft-Windows-Kernel-Power", kernel_power},
    {"User32", user32},
    {"Application Error", errors},
    {"Windows Error Reporting", errors},
    {"Application Hang", hangs},
    {"MsiInstaller", installer},
};

static const char *meaning_in(struct slice name, unsigned long code)
{
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        if (slice_equal_nocase(name, slice_str(logs[i].name)))
            for (const struct meaning *m = logs[i].meanings; m->text; m++)
                if (m->code == code)
                    return _(m->text);
    return NULL;
}

const char *metrics_meaning(struct slice log, struct slice provider, struct slice code)
{
    char digits[12] = {0};
    char *end;
    if (code.n == 0 || code.n >= sizeof digits)
        return NULL;
    memcpy(digits, code.p, code.n);
    unsigned long number = strtoul(digits, &end, 10);
    if (*end)
        return NULL;
    const char *text = meaning_in(log, number);
    return text ? text : meaning_in(provider, number);
}
