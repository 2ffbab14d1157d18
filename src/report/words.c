#include "report/words.h"
#include "base/locale.h"

#include <stdio.h>

static const char *const level_keys[LEVELS] = {
    [LEVEL_NONE] = N_("none"), [LEVEL_INFORMATIONAL] = N_("informational"),
    [LEVEL_LOW] = N_("low"),   [LEVEL_MEDIUM] = N_("medium"),
    [LEVEL_HIGH] = N_("high"), [LEVEL_CRITICAL] = N_("critical"),
};

const char *level_key(enum sigma_level level)
{
    return level_keys[level];
}

const char *level_label(enum sigma_level level)
{
    return _(level_keys[level]);
}

const struct attack_tactic attack_tactics[ATTACK_TACTICS] = {
    {"reconnaissance", "TA0043", N_("Reconnaissance")},
    {"resource-development", "TA0042", N_("Resource Development")},
    {"initial-access", "TA0001", N_("Initial Access")},
    {"execution", "TA0002", N_("Execution")},
    {"persistence", "TA0003", N_("Persistence")},
    {"privilege-escalation", "TA0004", N_("Privilege Escalation")},
    {"stealth", "TA0005", N_("Stealth")},
    {"defense-impairment", "TA0112", N_("Defense Impairment")},
    {"defense-evasion", "TA0005", N_("Defense Evasion")},
    {"credential-access", "TA0006", N_("Credential Access")},
    {"discovery", "TA0007", N_("Discovery")},
    {"lateral-movement", "TA0008", N_("Lateral Movement")},
    {"collection", "TA0009", N_("Collection")},
    {"command-and-control", "TA0011", N_("Command and Control")},
    {"exfiltration", "TA0010", N_("Exfiltration")},
    {"impact", "TA0040", N_("Impact")},
};

/* The rest of an "attack." tag; p NULL when it is another. */
static struct slice attack_tag(struct slice tag)
{
    const struct slice space = SLICE("attack.");
    return slice_equal_nocase(slice_sub(tag, 0, space.n), space) ? slice_sub(tag, space.n, tag.n)
                                                                 : (struct slice){0};
}

int attack_tactic(struct slice tag)
{
    struct slice name = attack_tag(tag);
    char key[32];
    if (name.n == 0 || name.n >= sizeof key)
        return -1;
    for (size_t i = 0; i < name.n; i++)
        key[i] = name.p[i] == '_' ? '-' : name.p[i];
    for (int i = 0; i < ATTACK_TACTICS; i++)
        if (slice_equal_nocase(slice_of(key, name.n), slice_str(attack_tactics[i].key)))
            return i;
    return -1;
}

static bool digits(struct slice s, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool attack_technique(struct slice tag, char id[ATTACK_TECHNIQUE])
{
    struct slice t = attack_tag(tag);
    bool whole = t.n == 5 || (t.n == 9 && t.p[5] == '.' && digits(t, 6, 3));
    if (!whole || (t.p[0] != 't' && t.p[0] != 'T') || !digits(t, 1, 4))
        return false;
    snprintf(id, ATTACK_TECHNIQUE, "T%.*s", SLICE_ARG(slice_sub(t, 1, t.n)));
    return true;
}
