/*
 * The words that reports share: levels and MITRE ATT&CK, for programs (stable keys) and for people
 * (messages in the chosen language).
 *
 *     level_key(LEVEL_HIGH)                          "high"
 *     level_label(LEVEL_HIGH)                        "high", "高"
 *     attack_tactic(SLICE("attack.execution"))       its place in attack_tactics
 *     attack_technique(SLICE("attack.t1059.001"), id)   "T1059.001"
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "detect/rule.h"

enum { LEVELS = LEVEL_CRITICAL + 1 };

/* As Sigma writes it; "none" for a rule without a level. */
const char *level_key(enum sigma_level level);
const char *level_label(enum sigma_level level);

/* A tactic of ATT&CK for enterprises, version 19, in the order of its matrix; and "defense-evasion",
 * which that version split in two and older rules still name. */
struct attack_tactic {
    const char *key;   /* "credential-access" */
    const char *id;    /* "TA0006" */
    const char *label; /* in English; _() gives the chosen language's */
};

enum { ATTACK_TACTICS = 16 };
extern const struct attack_tactic attack_tactics[ATTACK_TACTICS];

/* The tactic that a tag names ("attack.credential-access", also with "_"), or -1. */
int attack_tactic(struct slice tag);

/* Writes the id of the technique that a tag names, as ATT&CK writes it. False when it names none. */
enum { ATTACK_TECHNIQUE = 12 };
bool attack_technique(struct slice tag, char id[ATTACK_TECHNIQUE]);

#endif
