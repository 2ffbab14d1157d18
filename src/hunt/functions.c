#include "hunt/functions.h"

static const struct hunt_function functions[] = {
#define X(id, name, args, result, what) [id] = {id, FUNCTION_OPERATOR, name, args, result, what},
    HUNT_OPERATORS(X)
#undef X
#define X(id, name, args, result, what) [id] = {id, FUNCTION_SCALAR, name, args, result, what},
        HUNT_SCALARS(X)
#undef X
#define X(id, name, args, result, what) [id] = {id, FUNCTION_AGGREGATE, name, args, result, what},
            HUNT_AGGREGATES(X)
#undef X
};

/* Names that Kusto has for the same. */
static const struct {
    const char *name;
    enum function_id id;
} others[] = {
    {"iif", FN_IFF},           {"toint", FN_TOLONG},        {"toreal", FN_TODOUBLE},
    {"toboolean", FN_TOBOOL},  {"todynamic", FN_TODYNAMIC}, {"parsejson", FN_TODYNAMIC},
    {"totime", FN_TOTIMESPAN}, {"pack", FN_BAG_PACK},       {"count_distinct", FN_DCOUNT},
    {"any", FN_TAKE_ANY},      {"makeset", FN_MAKE_SET},    {"makelist", FN_MAKE_LIST},
    {"argmin", FN_ARG_MIN},    {"argmax", FN_ARG_MAX},      {"arraylength", FN_ARRAY_LENGTH},
    {"ceil", FN_CEILING},      {"hash_xxhash64", FN_HASH},
};

const struct hunt_function *hunt_function(enum function_id id)
{
    return &functions[id];
}

const struct hunt_function *hunt_function_named(struct slice name, enum function_kind kind)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (functions[i].kind == kind && slice_equal(slice_str(functions[i].name), name))
            return &functions[i];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (slice_equal(slice_str(others[i].name), name) && functions[others[i].id].kind == kind)
            return &functions[others[i].id];
    return NULL;
}

static const char *letter_name(char letter)
{
    switch (letter) {
    case 'b':
        return "bool";
    case 'l':
    case 'N':
        return "long";
    case 'r':
    case 'R':
        return "real";
    case 'n':
        return "number";
    case 's':
    case 'S':
        return "string";
    case 'd':
        return "datetime";
    case 't':
        return "timespan";
    case 'y':
        return "dynamic";
    case 'L':
        return "list";
    case '#':
        return "number or time";
    default:
        return "any";
    }
}

void hunt_function_signature(const struct hunt_function *f, struct buf *out)
{
    bool first = true, optional = false;
    buf_add(out, slice_str(f->name));
    buf_char(out, '(');
    for (const char *a = f->args; *a; a++) {
        if (*a == '*') {
            buf_add(out, SLICE(", ..."));
            continue;
        }
        if (*a == '?') {
            buf_add(out, SLICE(" ["));
            optional = true;
            continue;
        }
        if (!first)
            buf_add(out, SLICE(", "));
        buf_add(out, slice_str(letter_name(*a)));
        first = false;
    }
    buf_add(out, optional ? SLICE("]): ") : SLICE("): "));
    buf_add(out, slice_str(letter_name(f->result)));
}
