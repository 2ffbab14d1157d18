/* Arithmetic, bin, addresses. */
#include "hunt/scalar.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

static double real_of(const struct hunt_value *v)
{
    return v->type == TYPE_REAL ? v->real : (double)v->number;
}

/* What a real makes of a whole number; null when none fits. */
static void set_number(struct hunt_value *out, double real)
{
    if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0))
        set_null(out);
    else
        out->number = (int64_t)real;
}

static bool is_integer(const struct hunt_value *v)
{
    return v->type != TYPE_REAL;
}

/* ---- arithmetic: functions.h says which types there are ---- */

static void add_subtract(enum function_id f, ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL) {
        out->real = f == FN_ADD ? real_of(a[0]) + real_of(a[1]) : real_of(a[0]) - real_of(a[1]);
        return;
    }
    bool over = f == FN_ADD ? __builtin_add_overflow(a[0]->number, a[1]->number, &out->number)
                            : __builtin_sub_overflow(a[0]->number, a[1]->number, &out->number);
    /* the number that stands for "no time" is none */
    if (over || (out->type == TYPE_DATETIME && out->number == TIMESTAMP_NONE))
        set_null(out);
}

static void fn_add(ARGS)
{
    add_subtract(FN_ADD, c, s, a, out);
}

static void fn_subtract(ARGS)
{
    add_subtract(FN_SUBTRACT, c, s, a, out);
}

static void fn_multiply(ARGS)
{
    (void)c;
    (void)s;
    if (is_integer(a[0]) && is_integer(a[1]) && out->type != TYPE_REAL) {
        if (__builtin_mul_overflow(a[0]->number, a[1]->number, &out->number))
            set_null(out);
    } else if (out->type == TYPE_REAL) {
        out->real = real_of(a[0]) * real_of(a[1]);
    } else {
        set_number(out, real_of(a[0]) * real_of(a[1]));
    }
}

static void fn_divide(ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL) {
        out->real = real_of(a[0]) / real_of(a[1]);
        if (isnan(out->real))
            set_null(out);
    } else if (is_integer(a[0]) && is_integer(a[1])) {
        if (a[1]->number == 0 || (a[0]->number == INT64_MIN && a[1]->number == -1))
            set_null(out);
        else
            out->number = a[0]->number / a[1]->number;
    } else {
        set_number(out, real_of(a[0]) / real_of(a[1]));
    }
}

static int64_t modulo(int64_t n, int64_t by)
{
    if (by == -1)
        return 0;
    int64_t rest = n % by;
    return rest && (rest < 0) != (by < 0) ? rest + by : rest;
}

static void fn_modulo(ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL) {
        double by = real_of(a[1]), rest = fmod(real_of(a[0]), by);
        if (rest != 0 && (rest < 0) != (by < 0))
            rest += by;
        out->real = rest;
        if (isnan(rest))
            set_null(out);
    } else if (a[1]->number == 0) {
        set_null(out);
    } else {
        out->number = modulo(a[0]->number, a[1]->number);
    }
}

static void fn_negate(ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL)
        out->real = -real_of(a[0]);
    else if (__builtin_sub_overflow((int64_t)0, a[0]->number, &out->number))
        set_null(out);
}

static void fn_abs(ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL)
        out->real = fabs(real_of(a[0]));
    else if (a[0]->number == INT64_MIN)
        set_null(out);
    else
        out->number = a[0]->number < 0 ? -a[0]->number : a[0]->number;
}

/* Times are counted in nanoseconds from 0001-01-01; 1970 began so many days after that. */
static int64_t floor_to(int64_t n, int64_t step, bool time)
{
    const int64_t days = 719162;
    int64_t shift = 0;
    if (time) /* what 1970 is past a multiple of the step */
        shift = (int64_t)((__extension__(__int128) days * 86400 * NS_PER_SECOND) % step);
    __extension__ __int128 moved = (__int128)n + shift;
    __extension__ __int128 rest = moved % step;
    if (rest < 0)
        rest += step;
    __extension__ __int128 down = (__int128)n - rest;
    return down < INT64_MIN + 1 ? INT64_MIN : (int64_t)down;
}

static void fn_bin(ARGS)
{
    (void)c;
    (void)s;
    if (out->type == TYPE_REAL) {
        double step = real_of(a[1]);
        out->real = floor(real_of(a[0]) / step) * step;
        if (!(step > 0))
            set_null(out);
        return;
    }
    if (!is_integer(a[1]) || a[1]->number <= 0) {
        set_null(out);
        return;
    }
    out->number = floor_to(a[0]->number, a[1]->number, out->type == TYPE_DATETIME);
    if (out->number == INT64_MIN)
        set_null(out);
}

static void fn_round(ARGS)
{
    (void)s;
    double scale = c->args_n > 1 ? pow(10, (double)a[1]->number) : 1, n = real_of(a[0]);
    double scaled = n * scale;
    out->real = isfinite(scaled) && scale > 0 ? round(scaled) / scale : n;
}

static void fn_floor(ARGS)
{
    (void)s;
    if (is_integer(a[0]))
        out->number = a[0]->number;
    else
        set_number(out, c->function == FN_FLOOR ? floor(a[0]->real) : ceil(a[0]->real));
}

static void fn_real(ARGS)
{
    (void)s;
    double x = real_of(a[0]);
    switch (c->function) {
    case FN_POW:
        out->real = pow(x, real_of(a[1]));
        break;
    case FN_SQRT:
        out->real = sqrt(x);
        break;
    case FN_LOG:
        out->real = log(x);
        break;
    default:
        out->real = log10(x);
    }
    if (isnan(out->real))
        set_null(out);
}

/* ---- addresses ---- */

struct network {
    uint8_t ip[16];
    unsigned bits; /* of 128 */
};

static bool is_mapped(const uint8_t ip[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip, prefix, sizeof prefix) == 0;
}

/* Any way to write an address; IPv4 as ::ffff:a.b.c.d. */
static bool ip_read(struct slice text, uint8_t ip[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char terminated[INET6_ADDRSTRLEN];
    if (text.n >= sizeof terminated || (text.n && memchr(text.p, '\0', text.n)))
        return false;
    snprintf(terminated, sizeof terminated, "%.*s", SLICE_ARG(text));
    memcpy(ip, prefix, sizeof prefix);
    return inet_pton(AF_INET, terminated, ip + sizeof prefix) == 1 ||
           inet_pton(AF_INET6, terminated, ip) == 1;
}

/* "192.0.2.0/24", or an address alone. */
static bool network_of(struct slice text, struct network *out)
{
    ptrdiff_t slash = slice_find(text, SLICE("/"));
    int64_t bits = -1;
    struct slice ip = slash < 0 ? text : slice_sub(text, 0, (size_t)slash);
    if (slash >= 0) {
        struct slice number = slice_sub(text, (size_t)slash + 1, text.n);
        if (number.n == 0 || number.n > 3)
            return false;
        bits = 0;
        for (size_t i = 0; i < number.n; i++) {
            if (number.p[i] < '0' || number.p[i] > '9')
                return false;
            bits = bits * 10 + (number.p[i] - '0');
        }
    }
    if (!ip_read(slice_trim(ip), out->ip))
        return false;
    unsigned most = is_mapped(out->ip) ? 32 : 128;
    if (bits > most)
        return false;
    out->bits = bits < 0 ? 128 : (unsigned)bits + (128 - most);
    return true;
}

static bool in_network(const uint8_t ip[16], const struct network *n)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(ip, n->ip, whole) != 0)
        return false;
    return !rest || ((ip[whole] ^ n->ip[whole]) >> (8 - rest)) == 0;
}

static enum status prepare_network(struct call *c, struct arena *a, struct error *err)
{
    (void)err;
    struct network n;
    if (c->constants[1] && network_of(c->constants[1]->text, &n)) {
        c->made = arena_alloc(a, sizeof n);
        memcpy(c->made, &n, sizeof n);
    }
    return OK;
}

static void fn_in_range(ARGS)
{
    (void)s;
    struct network network, address;
    const struct network *n = c->made;
    if (!n && network_of(a[1]->text, &network))
        n = &network;
    bool good = n && network_of(a[0]->text, &address);
    if (good && c->function == FN_IPV4_IN_RANGE)
        good = is_mapped(n->ip) && is_mapped(address.ip);
    if (!good)
        set_null(out);
    else
        out->truth = address.bits >= n->bits && in_network(address.ip, n);
}

static void fn_private(ARGS)
{
    (void)c;
    (void)s;
    static const struct network networks[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0}, 96 + 8},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 172, 16, 0, 0}, 96 + 12},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 0, 0}, 96 + 16},
    };
    struct network address;
    if (!network_of(a[0]->text, &address) || !is_mapped(address.ip)) {
        set_null(out);
        return;
    }
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        out->truth |= address.bits >= networks[i].bits && in_network(address.ip, &networks[i]);
}

const struct scalar scalar_number[FUNCTIONS] = {
    [FN_ADD] = {fn_add, false, NULL},
    [FN_SUBTRACT] = {fn_subtract, false, NULL},
    [FN_MULTIPLY] = {fn_multiply, false, NULL},
    [FN_DIVIDE] = {fn_divide, false, NULL},
    [FN_MODULO] = {fn_modulo, false, NULL},
    [FN_NEGATE] = {fn_negate, false, NULL},
    [FN_ABS] = {fn_abs, false, NULL},
    [FN_BIN] = {fn_bin, false, NULL},
    [FN_ROUND] = {fn_round, false, NULL},
    [FN_FLOOR] = {fn_floor, false, NULL},
    [FN_CEILING] = {fn_floor, false, NULL},
    [FN_POW] = {fn_real, false, NULL},
    [FN_SQRT] = {fn_real, false, NULL},
    [FN_LOG] = {fn_real, false, NULL},
    [FN_LOG10] = {fn_real, false, NULL},
    [FN_IPV4_IN_RANGE] = {fn_in_range, false, prepare_network},
    [FN_IPV6_IN_RANGE] = {fn_in_range, false, prepare_network},
    [FN_IPV4_PRIVATE] = {fn_private, false, NULL},
};
