/*
 * Names for values without names. Fluent Bit hands on an event's values as a list (StringInserts) in
 * the order of the event's template; the template's names stay on the machine. These are the names
 * of the events that rules ask for most, in order. A newer version of an event mostly adds values at
 * the end, so a shorter list takes the first names; where it does not, the versions stand one by
 * one. Source: the templates of real events, and Microsoft's description of each security event.
 */
#include "intake/json_internal.h"

#define SUBJECT "SubjectUserSid,SubjectUserName,SubjectDomainName,SubjectLogonId"
#define TARGET "TargetUserName,TargetDomainName,TargetSid"
#define MEMBER "MemberName,MemberSid," TARGET "," SUBJECT ",PrivilegeList"
#define ACCOUNT                                                                                    \
    "SamAccountName,DisplayName,UserPrincipalName,HomeDirectory,HomePath,ScriptPath,ProfilePath,"  \
    "UserWorkstations,PasswordLastSet,AccountExpires,PrimaryGroupId,AllowedToDelegateTo,"          \
    "OldUacValue,NewUacValue,UserAccountControl,UserParameters,SidHistory,LogonHours"
#define TASK                                                                                       \
    "TaskName,TaskContent,ClientProcessStartKey,ClientProcessId,ParentProcessId,"                  \
    "RpcCallClientLocality,FQDN"
#define FILTER "FilterRTID,LayerName,LayerRTID"
#define TRANSFER                                                                                   \
    "transferId,name,Id,url,peer,hr,fileTime,fileLength,bytesTotal,bytesTransferred,proxy,"        \
    "peerProtocolFlags,bytesTransferredFromPeer,AdditionalInfoHr,PeerContextInfo,bandwidthLimit,"  \
    "ignoreBandwidthLimitsOnLan"
#define DEFENDER                                                                                   \
    "Product Name,Product Version,Detection ID,Detection Time,Unused,Unused2,Threat ID,"           \
    "Threat Name,Severity ID,Severity Name,Category ID,Category Name,FWLink,Status Code,"          \
    "Status Description,State,Source ID,Source Name,Process Name,Detection User,Unused3,Path,"     \
    "Origin ID,Origin Name,Execution ID,Execution Name,Type ID,Type Name,Pre Execution Status,"    \
    "Action ID,Action Name,Unused4,Error Code,Error Description,Unused5,Post Clean Status,"        \
    "Additional Actions ID,Additional Actions String,Remediation User,Unused6,"

struct inserts {
    const char *code, *names;
};

static const struct inserts security[] = {
    {"4611", SUBJECT ",LogonProcessName"},
    {"4616", SUBJECT ",PreviousTime,NewTime,ProcessId,ProcessName"},
    {"4624", SUBJECT ",TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId,LogonType,"
                     "LogonProcessName,AuthenticationPackageName,WorkstationName,LogonGuid,"
                     "TransmittedServices,LmPackageName,KeyLength,ProcessId,ProcessName,IpAddress,"
                     "IpPort,ImpersonationLevel,RestrictedAdminMode,TargetOutboundUserName,"
                     "TargetOutboundDomainName,VirtualAccount,TargetLinkedLogonId,ElevatedToken"},
    {"4625", SUBJECT ",TargetUserSid,TargetUserName,TargetDomainName,Status,FailureReason,"
                     "SubStatus,LogonType,LogonProcessName,AuthenticationPackageName,"
                     "WorkstationName,TransmittedServices,LmPackageName,KeyLength,ProcessId,"
                     "ProcessName,IpAddress,IpPort"},
    {"4627", SUBJECT ",TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId,LogonType,"
                     "EventIdx,EventCountTotal,GroupMembership"},
    {"4634", "TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId,LogonType"},
    {"4647", "TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId"},
    {"4648", SUBJECT ",LogonGuid,TargetUserName,TargetDomainName,TargetLogonGuid,"
                     "TargetServerName,TargetInfo,ProcessId,ProcessName,IpAddress,IpPort"},
    {"4656", SUBJECT ",ObjectServer,ObjectType,ObjectName,HandleId,TransactionId,AccessList,"
                     "AccessReason,AccessMask,PrivilegeList,RestrictedSidCount,ProcessId,"
                     "ProcessName,ResourceAttributes"},
    {"4657", SUBJECT ",ObjectName,ObjectValueName,HandleId,OperationType,OldValueType,OldValue,"
                     "NewValueType,NewValue,ProcessId,ProcessName"},
    {"4658", SUBJECT ",ObjectServer,HandleId,ProcessId,ProcessName"},
    {"4660", SUBJECT ",ObjectServer,HandleId,ProcessId,ProcessName,TransactionId"},
    {"4661", SUBJECT ",ObjectServer,ObjectType,ObjectName,HandleId,TransactionId,AccessList,"
                     "AccessMask,PrivilegeList,Properties,RestrictedSidCount,ProcessId,"
                     "ProcessName"},
    {"4662", SUBJECT ",ObjectServer,ObjectType,ObjectName,OperationType,HandleId,AccessList,"
                     "AccessMask,Properties,AdditionalInfo,AdditionalInfo2"},
    {"4663", SUBJECT ",ObjectServer,ObjectType,ObjectName,HandleId,AccessList,AccessMask,"
                     "ProcessId,ProcessName,ResourceAttributes"},
    {"4670", SUBJECT ",ObjectServer,ObjectType,ObjectName,HandleId,OldSd,NewSd,ProcessId,"
                     "ProcessName"},
    {"4672", SUBJECT ",PrivilegeList"},
    {"4673", SUBJECT ",ObjectServer,Service,PrivilegeList,ProcessId,ProcessName"},
    {"4674", SUBJECT ",ObjectServer,ObjectType,ObjectName,HandleId,AccessMask,PrivilegeList,"
                     "ProcessId,ProcessName"},
    {"4688", SUBJECT ",NewProcessId,NewProcessName,TokenElevationType,ProcessId,CommandLine,"
                     "TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId,"
                     "ParentProcessName,MandatoryLabel"},
    {"4689", SUBJECT ",Status,ProcessId,ProcessName"},
    {"4697", SUBJECT ",ServiceName,ServiceFileName,ServiceType,ServiceStartType,ServiceAccount,"
                     "ClientProcessStartKey,ClientProcessId,ParentProcessId,"
                     "RpcCallClientLocality,FQDN"},
    {"4698", SUBJECT "," TASK},
    {"4699", SUBJECT "," TASK},
    {"4700", SUBJECT "," TASK},
    {"4701", SUBJECT "," TASK},
    {"4702", SUBJECT ",TaskName,TaskContentNew,ClientProcessStartKey,ClientProcessId,"
                     "ParentProcessId,RpcCallClientLocality,FQDN"},
    {"4703", SUBJECT ",TargetUserSid,TargetUserName,TargetDomainName,TargetLogonId,ProcessName,"
                     "ProcessId,EnabledPrivilegeList,DisabledPrivilegeList"},
    {"4704", SUBJECT ",TargetSid,PrivilegeList"},
    {"4719", SUBJECT ",CategoryId,SubcategoryId,SubcategoryGuid,AuditPolicyChanges"},
    {"4720", TARGET "," SUBJECT ",PrivilegeList," ACCOUNT},
    {"4722", TARGET "," SUBJECT},
    {"4723", TARGET "," SUBJECT ",PrivilegeList"},
    {"4724", TARGET "," SUBJECT},
    {"4725", TARGET "," SUBJECT},
    {"4726", TARGET "," SUBJECT ",PrivilegeList"},
    {"4728", MEMBER},
    {"4729", MEMBER},
    {"4732", MEMBER},
    {"4733", MEMBER},
    {"4738", "Dummy," TARGET "," SUBJECT ",PrivilegeList," ACCOUNT},
    {"4740", TARGET "," SUBJECT},
    {"4741", TARGET "," SUBJECT ",PrivilegeList," ACCOUNT ",DnsHostName,ServicePrincipalNames"},
    {"4742", "ComputerAccountChange," TARGET "," SUBJECT ",PrivilegeList," ACCOUNT
             ",DnsHostName,ServicePrincipalNames"},
    {"4756", MEMBER},
    {"4757", MEMBER},
    {"4765", "SourceUserName,SourceSid," TARGET "," SUBJECT ",PrivilegeList,SidList"},
    {"4768", TARGET ",ServiceName,ServiceSid,TicketOptions,Status,TicketEncryptionType,"
                    "PreAuthType,IpAddress,IpPort,CertIssuerName,CertSerialNumber,CertThumbprint"},
    {"4769", "TargetUserName,TargetDomainName,ServiceName,ServiceSid,TicketOptions,"
             "TicketEncryptionType,IpAddress,IpPort,Status,LogonGuid,TransmittedServices"},
    {"4771", "TargetUserName,TargetSid,ServiceName,TicketOptions,Status,PreAuthType,IpAddress,"
             "IpPort,CertIssuerName,CertSerialNumber,CertThumbprint"},
    {"4776", "PackageName,TargetUserName,Workstation,Status"},
    {"4781",
     "OldTargetUserName,NewTargetUserName,TargetDomainName,TargetSid," SUBJECT ",PrivilegeList"},
    {"4794", SUBJECT ",Workstation,Status"},
    {"4798", TARGET "," SUBJECT ",CallerProcessId,CallerProcessName"},
    {"4799", TARGET "," SUBJECT ",CallerProcessId,CallerProcessName"},
    {"4985", SUBJECT ",TransactionId,NewState,ResourceManager,ProcessId,ProcessName"},
    {"5136", "OpCorrelationID,AppCorrelationID," SUBJECT
             ",DSName,DSType,ObjectDN,ObjectGUID,ObjectClass,AttributeLDAPDisplayName,"
             "AttributeSyntaxOID,AttributeValue,OperationType"},
    {"5140", SUBJECT ",ObjectType,IpAddress,IpPort,ShareName,ShareLocalPath,AccessMask,"
                     "AccessList"},
    {"5142", SUBJECT ",ShareName,ShareLocalPath"},
    {"5145", SUBJECT ",ObjectType,IpAddress,IpPort,ShareName,ShareLocalPath,RelativeTargetName,"
                     "AccessMask,AccessList,AccessReason"},
    {"5156", "ProcessID,Application,Direction,SourceAddress,SourcePort,DestAddress,DestPort,"
             "Protocol," FILTER ",RemoteUserID,RemoteMachineID"},
    {"5157", "ProcessID,Application,Direction,SourceAddress,SourcePort,DestAddress,DestPort,"
             "Protocol," FILTER ",RemoteUserID,RemoteMachineID"},
    {"5158", "ProcessId,Application,SourceAddress,SourcePort,Protocol," FILTER},
    {NULL, NULL},
};

static const struct inserts services[] = {
    {"7034", "param1,param2"},
    {"7036", "param1,param2"},
    {"7040", "param1,param2,param3,param4"},
    {"7045", "ServiceName,ImagePath,ServiceType,StartType,AccountName"},
    {NULL, NULL},
};

static const struct inserts powershell[] = {
    {"4103", "ContextInfo,UserData,Payload"},
    {"4104", "MessageNumber,MessageTotal,ScriptBlockText,ScriptBlockId,Path"},
    {NULL, NULL},
};

static const struct inserts tasks[] = {
    {"106", "TaskName,UserContext"},
    {"140", "TaskName,UserName"},
    {"141", "TaskName,UserName"},
    {"142", "TaskName,UserName"},
    {NULL, NULL},
};

static const struct inserts defender[] = {
    {"1116", DEFENDER "Signature Version,Engine Version"},
    {"1117", DEFENDER "Signature Version,Engine Version"},
    {"1119", DEFENDER "Security intelligence Version,Engine Version"},
    {NULL, NULL},
};

static const struct inserts bits[] = {
    {"3", "string,string2,string3"},
    {"3", "jobTitle,jobId,jobOwner,processPath,processId"},
    {"4", "User,jobTitle,jobId,jobOwner,fileCount,bytesTransferred,bytesTransferredFromPeer"},
    {"5", "User,jobTitle,jobId,jobOwner,fileCount"},
    {"59", "transferId,name,Id,url,peer,fileTime,fileLength,bytesTotal,bytesTransferred,"
           "bytesTransferredFromPeer"},
    {"60", TRANSFER},
    {"61", TRANSFER},
    {NULL, NULL},
};

static const struct {
    const char *provider;
    const struct inserts *events;
} providers[] = {
    {"Microsoft-Windows-Security-Auditing", security}, {"Service Control Manager", services},
    {"Microsoft-Windows-PowerShell", powershell},      {"Microsoft-Windows-TaskScheduler", tasks},
    {"Microsoft-Windows-Windows Defender", defender},  {"Microsoft-Windows-Bits-Client", bits},
};

static size_t count_names(const char *names)
{
    size_t n = 1;
    for (; (names = strchr(names, ',')); names++)
        n++;
    return n;
}

struct slice json_insert_names(struct slice provider, struct slice code, size_t n)
{
    const struct inserts *event = NULL;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
        if (slice_equal(slice_str(providers[i].provider), provider))
            event = providers[i].events;
    for (; event && event->code; event++)
        if (slice_equal(slice_str(event->code), code) && n <= count_names(event->names))
            return slice_str(event->names);
    return (struct slice){0};
}
