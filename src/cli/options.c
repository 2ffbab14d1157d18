#include "cli/options.h"

#include "base/locale.h"
#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>

static const char *language_name(size_t number)
{
    static const char *const names[] = {"en", "ja", NULL};
    return number < 2 ? names[number] : NULL;
}

enum { COMMON_HELP, COMMON_LANGUAGE };
const struct option common_options[] = {
    [COMMON_HELP] = {.letter = 'h', .name = "help", .what = N_("show this help")},
    [COMMON_LANGUAGE] = {0, "lang", OPTION_CHOICE, "LANGUAGE",
                         N_("the language of messages and reports (that of the locale)"),
                         .choice = language_name},
    {0},
};

struct parse {
    const struct command *command;
    timestamp now;
    char *values; /* the command's struct, byte by byte */
    bool *help;
    struct error *err;
};

static bool takes_value(const struct option *o)
{
    return o->kind != OPTION_FLAG && o->kind != OPTION_SET;
}

bool option_takes_file(const struct option *o)
{
    return o->value && (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0 ||
                        strcmp(o->value, "PATH") == 0);
}

/* ---- words that are near each other ---- */

enum { NEAR_LETTERS = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be put in, taken out, changed or swapped with their neighbour (optimal
 * string alignment distance). Words that are too long are far from everything. */
static size_t word_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t d[NEAR_LETTERS + 1][NEAR_LETTERS + 1];
    if (n > NEAR_LETTERS || m > NEAR_LETTERS)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

/* The word that fits best so far, and how far it is. */
struct nearest {
    const char *word;
    size_t distance; /* words must be nearer than this */
};

static void consider(struct nearest *best, const char *word, const char *candidate)
{
    size_t n = strlen(word);
    size_t distance = word_distance(word, candidate);
    if (n > 1 && strncmp(word, candidate, n) == 0) /* only its end is missing */
        distance = 1;
    if (distance < best->distance)
        *best = (struct nearest){candidate, distance};
}

const char *near_word(const char *word, option_choice *choice)
{
    struct nearest best = {NULL, strlen(word) < 4 ? 2 : 3};
    for (size_t i = 0; choice(i); i++)
        consider(&best, word, choice(i));
    return best.word;
}

static enum status unknown_option(struct parse *p, const char *name, size_t n)
{
    struct nearest best = {NULL, 3};
    char word[NEAR_LETTERS + 1];
    snprintf(word, sizeof word, "%.*s", (int)least(n, NEAR_LETTERS), name);
    for (const struct option *o = p->command->options; o && o->name; o++)
        consider(&best, word, o->name);
    for (const struct option *o = common_options; o->name; o++)
        consider(&best, word, o->name);
    if (best.word)
        return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "unknown option --%.*s; did you mean --%s?", (int)n, name, best.word);
    return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "unknown option --%.*s", (int)n,
                     name);
}

/* ---- values ---- */

static enum status bad_value(struct parse *p, const struct option *o, const char *text,
                             const char *wanted)
{
    return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "--%s: \"%s\" is not %s",
                     o->name, text, wanted);
}

/* "7d" is seven days before now, or `ahead` of it; units s, m, h, d, w. */
static bool relative_time(const char *text, timestamp now, bool ahead, timestamp *out)
{
    static const char units[] = "smhdw";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno || !*end || end[1])
        return false;
    const char *unit = strchr(units, *end);
    int64_t span;
    return unit && !__builtin_mul_overflow((int64_t)n, seconds[unit - units], &span) &&
           !__builtin_mul_overflow(span, NS_PER_SECOND, &span) &&
           !(ahead ? __builtin_add_overflow(now, span, out)
                   : __builtin_sub_overflow(now, span, out));
}

static enum status take_time(struct parse *p, const struct option *o, const char *text)
{
    struct option_time time = {.given = true};
    struct slice s = slice_str(text);
    const size_t date_only = sizeof "2026-11-10" - 1;
    if (!relative_time(text, p->now, o->ahead, &time.at)) {
        if (!timestamp_parse(s, &time.at) ||
            (o->ends && s.n == date_only &&
             __builtin_add_overflow(time.at, 86400 * NS_PER_SECOND, &time.at)))
            return bad_value(p, o, text,
                             o->ahead ? _("a time: give 2026-11-10, 2026-11-10T10:23:41+09:00, or "
                                          "7d for in seven days (s, m, h, d, w)")
                                      : _("a time: give 2026-11-10, 2026-11-10T10:23:41+09:00, or "
                                          "7d for seven days ago (s, m, h, d, w)"));
    }
    memcpy(p->values + o->at, &time, sizeof time);
    return OK;
}

static enum status take_number(struct parse *p, const struct option *o, const char *text)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || n > UINT32_MAX)
        return bad_value(p, o, text, _("a number from 0 on"));
    unsigned number = (unsigned)n;
    memcpy(p->values + o->at, &number, sizeof number);
    return OK;
}

/* The word's number among an option's choice, in upper or lower case. */
static enum status choose(struct parse *p, const struct option *o, const char *text,
                          unsigned *number)
{
    for (*number = 0; o->choice(*number); ++*number)
        if (slice_equal_nocase(slice_str(o->choice(*number)), slice_str(text)))
            return OK;
    char words[256] = "";
    size_t n = 0;
    for (size_t i = 0; o->choice(i) && n < sizeof words; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%s", i ? ", " : "", o->choice(i));
    return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "--%s: \"%s\" is not one of %s",
                     o->name, text, words);
}

static void take_list(struct parse *p, const struct option *o, const char *text)
{
    struct text_list list;
    memcpy(&list, p->values + o->at, sizeof list);
    *VEC_PUSH(list) = text;
    memcpy(p->values + o->at, &list, sizeof list);
}

static enum status take(struct parse *p, const struct option *o, const char *text)
{
    unsigned number = 0;
    if (o == &common_options[COMMON_HELP]) {
        *p->help = true;
        return OK;
    }
    if (o->choice) {
        enum status status = choose(p, o, text, &number);
        if (status != OK)
            return status;
        text = o->choice(number);
    }
    if (o == &common_options[COMMON_LANGUAGE]) {
        locale_choose(text);
        return OK;
    }
    switch (o->kind) {
    case OPTION_FLAG:
        memcpy(p->values + o->at, &(bool){true}, sizeof(bool));
        break;
    case OPTION_SET:
        memcpy(p->values + o->at, &o->set, sizeof o->set);
        break;
    case OPTION_TEXT:
        memcpy(p->values + o->at, &text, sizeof text);
        break;
    case OPTION_LIST:
        take_list(p, o, text);
        break;
    case OPTION_CHOICE:
        memcpy(p->values + o->at, &number, sizeof number);
        break;
    case OPTION_NUMBER:
        return take_number(p, o, text);
    case OPTION_TIME:
        return take_time(p, o, text);
    }
    return OK;
}

/* ---- the line ---- */

/* A line under way: what it is made of, and the argument that is next. */
struct arguments {
    int n, at;
    char **list;
};

static enum status needs_value(struct parse *p, const struct option *o)
{
    return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "--%s needs a value (%s)",
                     o->name, o->value);
}

/* The option of a table with that name, or, when that is empty, with that letter; NULL when there is
 * none. */
static const struct option *among(const struct option *o, struct slice name, char letter)
{
    for (; o && o->name; o++)
        if (name.n ? slice_equal(slice_str(o->name), name) : o->letter == letter)
            return o;
    return NULL;
}

static const struct option *find(const struct parse *p, struct slice name, char letter)
{
    const struct option *own = among(p->command->options, name, letter);
    return own ? own : among(common_options, name, letter);
}

static enum status parse_long(struct parse *p, struct arguments *args)
{
    const char *name = args->list[args->at++] + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *o = n ? find(p, slice_of(name, n), '\0') : NULL;
    if (!o)
        return unknown_option(p, name, n);
    if (!takes_value(o) && equals)
        return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "--%s takes no value",
                         o->name);
    if (!takes_value(o) || equals)
        return take(p, o, equals ? equals + 1 : "");
    if (args->at == args->n)
        return needs_value(p, o);
    return take(p, o, args->list[args->at++]);
}

static enum status parse_short(struct parse *p, struct arguments *args)
{
    const char *letter = args->list[args->at++] + 1;
    for (; *letter; letter++) {
        const struct option *o = find(p, SLICE(""), *letter);
        if (!o)
            return error_set(p->err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "unknown option -%c",
                             *letter);
        if (takes_value(o)) {
            if (letter[1])
                return take(p, o, letter + 1);
            if (args->at == args->n)
                return needs_value(p, o);
            return take(p, o, args->list[args->at++]);
        }
        enum status status = take(p, o, "");
        if (status != OK || *p->help)
            return status;
    }
    return OK;
}

static enum status check_operands(const struct command *command, const struct text_list *operands,
                                  struct error *err)
{
    if (operands->n < command->operands_least)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "%s missing",
                         command->operands);
    if (operands->n > command->operands_most)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "what is \"%s\"?",
                         operands->at[command->operands_most]);
    return OK;
}

enum status options_parse(const struct command *command, int argc, char **argv, timestamp now,
                          void *values, struct text_list *operands, bool *help, struct error *err)
{
    struct parse p = {command, now, values, help, err};
    struct arguments args = {argc, 0, argv};
    enum status status = OK;
    bool options_end = false;
    *help = false;
    while (status == OK && !*help && args.at < args.n) {
        const char *argument = args.list[args.at];
        if (options_end || argument[0] != '-' || !argument[1]) {
            *VEC_PUSH(*operands) = argument;
            args.at++;
        } else if (strcmp(argument, "--") == 0) {
            options_end = true;
            args.at++;
        } else if (argument[1] == '-') {
            status = parse_long(&p, &args);
        } else {
            status = parse_short(&p, &args);
        }
    }
    if (status != OK || *help)
        return status;
    return check_operands(command, operands, err);
}

void options_free(const struct command *command, void *values)
{
    for (const struct option *o = command->options; o && o->name; o++)
        if (o->kind == OPTION_LIST) {
            struct text_list list;
            memcpy(&list, (char *)values + o->at, sizeof list);
            free(list.at);
        }
}
