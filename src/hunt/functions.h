/*
 * All functions and operators of the hunt language: one table, from which the checker knows what may
 * be called with what, the executor what to implement, and people (hikeshi hunt --functions) what
 * there is. Adding one is a row here and its code in the executor.
 *
 *     const struct hunt_function *f = hunt_function_named(SLICE("strlen"));
 *     f = hunt_function(FN_STRLEN);
 *
 * What a plan never calls, because the checker puts other calls in its place:
 *
 *     a != b, a !has b, ...   not(a == b), not(a has b)       also isnotempty, isnotnull
 *     a between (b .. c)      a >= b and a <= c
 *     case(p, x, q, y, z)     iff(p, x, iff(q, y, z))
 *     now(), ago(x)           literals
 *     countif(p), sumif(x, p) count and sum with a filter (plan.h)
 *     count_distinct(x)       dcount(x), which is exact here
 *
 * Text is compared with and without case as Kusto does it: `==`, `in` and all that end in _cs look at
 * case, `=~`, `in~`, has, contains, startswith, endswith do not (folded: base/text.h). `has` finds text
 * that stands between characters which belong to no token (store/filter.h: letters and digits of ASCII,
 * and every byte from 0x80 on, belong to tokens), or at an end; the text itself may be several tokens
 * with what is between them. An empty text is found everywhere.
 */
#ifndef HUNT_FUNCTIONS_H
#define HUNT_FUNCTIONS_H

#include "base/buf.h"
#include "hunt/types.h"

/*
 * X(id, name, arguments, result, what it does)
 *
 * Arguments, a letter each:
 *     b bool   l long   r real   n long or real   s string (or field)   d datetime   t timespan
 *     y dynamic   a any type   L a list (EXPR_LIST, EXPR_TABLE) of the first argument's type
 *     S a constant string   N a constant long   R a constant real   # long, real, datetime or timespan
 *     = the type of the first `=` argument, any
 *     ?  the arguments that follow may be left out   *  the last may be given again
 * Result: such a letter; = is the type of the `=` arguments, # that of the first # argument; a: see there.
 * An argument is passed in the type that its letter says: n, #, = and a leave the type; fields come as
 * text for s, = and a (for n and # the checker has made them real).
 */
#define HUNT_OPERATORS(X)                                                                            \
    X(FN_AND, "and", "bb*", 'b', "all are true")                                                     \
    X(FN_OR, "or", "bb*", 'b', "one of them is true")                                                \
    X(FN_NOT, "not", "b", 'b', "true for false, false for true")                                     \
    X(FN_EQUAL, "==", "==", 'b', "equal; text with case")                                            \
    X(FN_EQUAL_NOCASE, "=~", "ss", 'b', "equal without case")                                        \
    X(FN_LESS, "<", "==", 'b', "less; text by its bytes, two fields by field_compare")               \
    X(FN_LESS_EQUAL, "<=", "==", 'b', "less or equal")                                               \
    X(FN_GREATER, ">", "==", 'b', "greater")                                                         \
    X(FN_GREATER_EQUAL, ">=", "==", 'b', "greater or equal")                                         \
    X(FN_IN, "in", "=L", 'b', "one of these; text with case")                                        \
    X(FN_IN_NOCASE, "in~", "sL", 'b', "one of these texts, without case")                            \
    X(FN_HAS, "has", "ss", 'b', "has these words, without case")                                     \
    X(FN_HAS_CS, "has_cs", "ss", 'b', "has these words")                                             \
    X(FN_HAS_ANY, "has_any", "sL", 'b', "has one of these, each as `has` finds it")                  \
    X(FN_HAS_ALL, "has_all", "sL", 'b', "has all of these, each as `has` finds it")                  \
    X(FN_CONTAINS, "contains", "ss", 'b', "holds this text, without case")                           \
    X(FN_CONTAINS_CS, "contains_cs", "ss", 'b', "holds this text")                                   \
    X(FN_STARTS, "startswith", "ss", 'b', "begins with this text, without case")                     \
    X(FN_STARTS_CS, "startswith_cs", "ss", 'b', "begins with this text")                             \
    X(FN_ENDS, "endswith", "ss", 'b', "ends with this text, without case")                           \
    X(FN_ENDS_CS, "endswith_cs", "ss", 'b', "ends with this text")                                   \
    X(FN_REGEX, "matches regex", "sS", 'b', "a part matches this regular expression (PCRE2)")        \
    /* long by long stays long (null when it overflows; division towards zero, null by zero);      \
       datetime - datetime and timespan + - timespan are timespans, datetime + - timespan is a     \
       datetime, timespan * / number a timespan, timespan / timespan real; long and real: real */ \
    X(FN_ADD, "+", "##", 'a', "sum")                                                                 \
    X(FN_SUBTRACT, "-", "##", 'a', "difference")                                                     \
    X(FN_MULTIPLY, "*", "##", 'a', "product")                                                        \
    X(FN_DIVIDE, "/", "##", 'a', "quotient")                                                         \
    X(FN_MODULO, "%", "nn", 'a', "remainder, of the sign of the divisor; null by zero")              \
    X(FN_NEGATE, "negate", "#", '#', "of the other sign")                                            \
    X(FN_MEMBER, ".", "yS", 'y', "an object's member; null when there is none")                      \
    X(FN_ELEMENT, "[]", "yl", 'y', "an array's element from 0, from the end when negative; or null")

#define HUNT_SCALARS(X)                                                                            \
    /* ---- choosing and asking ---- */                                                            \
    X(FN_IFF, "iff", "b==", '=', "the second when the first is true, else the third")              \
    X(FN_COALESCE, "coalesce", "==*", '=', "the first that is neither null nor empty text")        \
    X(FN_ISEMPTY, "isempty", "a", 'b', "whether it is null or empty text; never null")             \
    X(FN_ISNULL, "isnull", "a", 'b', "whether it is null (a field: empty); never null")            \
    X(FN_MIN_OF, "min_of", "##*", '#', "the least; nulls are passed over")                         \
    X(FN_MAX_OF, "max_of", "##*", '#', "the greatest; nulls are passed over")                      \
    /* ---- other types ---- */                                                                    \
    X(FN_TOSTRING, "tostring", "a", 's', "as text: times as RFC 3339, null as empty text")         \
    X(FN_TOLONG, "tolong", "a", 'l', "integer; of text that is none: null (0x... is hexadecimal)") \
    X(FN_TODOUBLE, "todouble", "a", 'r', "number with fraction; of text that is none: null")       \
    X(FN_TOBOOL, "tobool", "a", 'b', "of true, false in any case, and of numbers; else null")      \
    X(FN_TODATETIME, "todatetime", "a", 'd', "of text that is a time; else null")                  \
    X(FN_TOTIMESPAN, "totimespan", "a", 't', "of text such as 1.5h or 1.02:03:04; else null")      \
    X(FN_TODYNAMIC, "parse_json", "a", 'y',                                                        \
      "text that is JSON, read; other text as a JSON string; a field that is a list as array")     \
    /* ---- text ---- */                                                                           \
    X(FN_STRCAT, "strcat", "a*", 's', "joined, each as tostring writes it")                        \
    X(FN_STRLEN, "strlen", "s", 'l', "length in characters (code points)")                         \
    X(FN_SUBSTRING, "substring", "sl?l", 's',                                                      \
      "from this character on (from 0; negative: from the end), so many")                          \
    X(FN_TOLOWER, "tolower", "s", 's', "in lower case")                                            \
    X(FN_TOUPPER, "toupper", "s", 's', "in upper case")                                            \
    X(FN_TRIM, "trim", "Ss", 's', "without what the regular expression matches at both ends")      \
    X(FN_INDEXOF, "indexof", "ss", 'l', "at which character (from 0) it first stands, or -1")      \
    X(FN_REPLACE_STRING, "replace_string", "sss", 's', "with each such text replaced")             \
    X(FN_REPLACE_REGEX, "replace_regex", "sSs", 's', "with each match replaced; \\1 is a group")   \
    X(FN_EXTRACT, "extract", "SNs", 's', "a group (0: all) of the first match, or empty text")     \
    X(FN_SPLIT, "split", "ss?l", 'y',                                                              \
      "an array of the parts between these texts; or of one part only")                            \
    X(FN_STRCAT_ARRAY, "strcat_array", "ys", 's', "an array's elements joined by this text")       \
    X(FN_BASE64_DECODE, "base64_decode_tostring", "s", 's',                                        \
      "decoded (UTF-8, or UTF-16LE as PowerShell has it); of what is none: empty")                 \
    X(FN_URL_DECODE, "url_decode", "s", 's', "with %xx decoded")                                   \
    X(FN_HASH, "hash", "a?l", 'l', "a number made of it (XXH64, of its text), modulo the second")  \
    X(FN_HASH_MD5, "hash_md5", "a", 's', "MD5 of its text, in hexadecimal")                        \
    X(FN_HASH_SHA1, "hash_sha1", "a", 's', "SHA-1 of its text, in hexadecimal")                    \
    X(FN_HASH_SHA256, "hash_sha256", "a", 's', "SHA-256 of its text, in hexadecimal")              \
    /* ---- addresses ---- */                                                                      \
    X(FN_IPV4_IN_RANGE, "ipv4_is_in_range", "ss", 'b',                                             \
      "whether the IPv4 address is in the network (192.0.2.0/24); null when one is none")          \
    X(FN_IPV6_IN_RANGE, "ipv6_is_in_range", "ss", 'b', "the same for IPv6, and for IPv4 in both")  \
    X(FN_IPV4_PRIVATE, "ipv4_is_private", "s", 'b', "whether it is in a network of RFC 1918")      \
    /* ---- numbers ---- */                                                                        \
    X(FN_BIN, "bin", "##", '#', "rounded down to a multiple; times from 0001-01-01 on")            \
    X(FN_ABS, "abs", "#", '#', "without its sign (not for datetime)")                              \
    X(FN_ROUND, "round", "n?N", 'r', "rounded to so many digits (0)")                              \
    X(FN_FLOOR, "floor", "n", 'l', "the integer not above it")                                     \
    X(FN_CEILING, "ceiling", "n", 'l', "the integer not below it")                                 \
    X(FN_POW, "pow", "rr", 'r', "the first to the power of the second")                            \
    X(FN_SQRT, "sqrt", "r", 'r', "square root")                                                    \
    X(FN_LOG, "log", "r", 'r', "natural logarithm")                                                \
    X(FN_LOG10, "log10", "r", 'r', "logarithm to base 10")                                         \
    /* ---- times, in UTC ---- */                                                                  \
    X(FN_STARTOFDAY, "startofday", "d", 'd', "its first moment")                                   \
    X(FN_STARTOFWEEK, "startofweek", "d", 'd', "the Sunday before or on it, at 0:00")              \
    X(FN_STARTOFMONTH, "startofmonth", "d", 'd', "the first of its month, at 0:00")                \
    X(FN_HOUROFDAY, "hourofday", "d", 'l', "0 to 23")                                              \
    X(FN_DAYOFWEEK, "dayofweek", "d", 't', "days since Sunday: 0d to 6d")                          \
    X(FN_UNIX_SECONDS, "unixtime_seconds_todatetime", "n", 'd', "a time from seconds since 1970")  \
    X(FN_UNIX_MILLISECONDS, "unixtime_milliseconds_todatetime", "n", 'd', "from milliseconds")     \
    X(FN_FORMAT_DATETIME, "format_datetime", "dS", 's',                                            \
      "written by a pattern of yyyy yy MM M dd d HH H hh h mm m ss s f tt, each f a digit of the " \
      "fraction")                                                                                  \
    /* ---- dynamic ---- */                                                                        \
    X(FN_ARRAY_LENGTH, "array_length", "y", 'l', "an array's elements; null of anything else")     \
    X(FN_BAG_KEYS, "bag_keys", "y", 'y', "an array of an object's names")                          \
    X(FN_BAG_REMOVE_KEYS, "bag_remove_keys", "yy", 'y',                                            \
      "an object without the members that an array names")                                         \
    X(FN_BAG_PACK, "bag_pack", "Sa*", 'y', "an object of names and values, by turns")              \
    X(FN_PACK_ARRAY, "pack_array", "a*", 'y', "an array of these")                                 \
    X(FN_SET_HAS, "set_has_element", "ya", 'b', "whether an array has it; text with case")

#define HUNT_AGGREGATES(X)                                                                         \
    X(FN_COUNT, "count", "", 'l', "rows")                                                          \
    X(FN_DCOUNT, "dcount", "a", 'l', "distinct values, exactly")                                   \
    X(FN_SUM, "sum", "#", '#', "their sum (not of datetimes); 0 of none")                          \
    X(FN_AVG, "avg", "#", 'a', "their mean: real, or timespan of timespans; null of none")         \
    X(FN_MIN, "min", "=", '=', "the least; null of none")                                          \
    X(FN_MAX, "max", "=", '=', "the greatest; null of none")                                       \
    X(FN_PERCENTILE, "percentile", "#R", '#',                                                      \
      "the value at which so many percent are not above it (nearest rank)")                        \
    X(FN_TAKE_ANY, "take_any", "=", '=', "one of them: the first that is met")                     \
    X(FN_MAKE_SET, "make_set", "a?N", 'y', "an array of the distinct ones, at most so many")       \
    X(FN_MAKE_LIST, "make_list", "a?N", 'y', "an array of all, at most so many")                   \
    X(FN_ARG_MIN, "arg_min", "=a*", 'a',                                                           \
      "the row with the least first argument: that, and the others there")                         \
    X(FN_ARG_MAX, "arg_max", "=a*", 'a',                                                           \
      "the row with the greatest first argument: that, and the others there")

enum function_id {
#define X(id, name, args, result, what) id,
    HUNT_OPERATORS(X) HUNT_SCALARS(X) HUNT_AGGREGATES(X)
#undef X
        FUNCTIONS
};

enum function_kind { FUNCTION_OPERATOR, FUNCTION_SCALAR, FUNCTION_AGGREGATE };

struct hunt_function {
    enum function_id id;
    enum function_kind kind;
    const char *name;
    const char *args;
    char result;
    const char *what;
};

const struct hunt_function *hunt_function(enum function_id id);

/* The scalar or aggregate of that name, or of one that Kusto has for the same (iif, toint, todynamic,
 * toreal, make_set...); NULL when there is none. */
const struct hunt_function *hunt_function_named(struct slice name, enum function_kind kind);

/* "substring(string, long [, long]): string" */
void hunt_function_signature(const struct hunt_function *f, struct buf *out);

#endif
