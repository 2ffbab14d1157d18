#include "base/yaml_internal.h"

/* A place to come back to. */
struct mark {
    size_t at, line_at, content_at;
    uint32_t line;
};

static struct mark mark_of(const struct yaml_reader *r)
{
    return (struct mark){r->at, r->line_at, r->content_at, r->line};
}

static void go_back(struct yaml_reader *r, struct mark m)
{
    r->at = m.at;
    r->line_at = m.line_at;
    r->content_at = m.content_at;
    r->line = m.line;
}

static void skip_spaces(struct yaml_reader *r)
{
    while (yaml_is_space(yaml_look(r, 0)))
        r->at++;
}

static void add(struct buf *out, const struct yaml_reader *r, size_t from, size_t to)
{
    buf_add(out, slice_sub(r->text, from, to - from));
}

/* Line folding (6.5): one break is a space, each further one a break. */
static void add_breaks(struct buf *out, size_t breaks)
{
    if (breaks == 1)
        buf_char(out, ' ');
    for (size_t i = 1; i < breaks; i++)
        buf_char(out, '\n');
}

/* Over breaks and the white space around them to the next text; how many breaks there were. */
static size_t skip_breaks(struct yaml_reader *r)
{
    size_t breaks = 0;
    while (yaml_look(r, 0) == '\n') {
        yaml_newline(r);
        breaks++;
        if (yaml_at_marker(r))
            break;
        skip_spaces(r);
    }
    return breaks;
}

static void trim_spaces(struct buf *out, size_t least)
{
    while (out->n > least && yaml_is_space(out->p[out->n - 1]))
        out->n--;
}

static enum status text_done(struct yaml_reader *r, struct yaml_place at, enum yaml_kind kind,
                             struct yaml_node **node)
{
    *node = yaml_node_new(&r->b, YAML_SCALAR, at);
    (*node)->text = arena_slice(r->b.a, buf_slice(&r->scratch));
    (*node)->kind = kind;
    return OK;
}

/* ---- quoted ---- */

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_char(out, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_char(out, (char)(0xe0 | c >> 12));
        } else {
            buf_char(out, (char)(0xf0 | c >> 18));
            buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_char(out, (char)(0x80 | (c & 0x3f)));
}

static enum status escape_hex(struct yaml_reader *r, size_t digits)
{
    uint32_t c = 0;
    for (size_t i = 0; i < digits; i++) {
        char d = yaml_look(r, i);
        uint32_t v = d >= '0' && d <= '9'   ? (uint32_t)(d - '0')
                     : d >= 'a' && d <= 'f' ? (uint32_t)(d - 'a' + 10)
                     : d >= 'A' && d <= 'F' ? (uint32_t)(d - 'A' + 10)
                                            : 16;
        if (v == 16)
            return yaml_fail_here(r, "an escape has too few hexadecimal digits");
        c = c << 4 | v;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return yaml_fail_here(r, "an escape means no character");
    r->at += digits;
    add_utf8(&r->scratch, c);
    return OK;
}

/* The character behind a backslash (5.7). */
static enum status escape(struct yaml_reader *r)
{
    static const struct {
        char c;
        const char *text;
        size_t n;
    } simple[] = {{'0', "\0", 1},
                  {'a', "\a", 1},
                  {'b', "\b", 1},
                  {'t', "\t", 1},
                  {'\t', "\t", 1},
                  {'n', "\n", 1},
                  {'v', "\v", 1},
                  {'f', "\f", 1},
                  {'r', "\r", 1},
                  {'e', "\x1b", 1},
                  {' ', " ", 1},
                  {'"', "\"", 1},
                  {'/', "/", 1},
                  {'\\', "\\", 1},
                  {'N', "\xc2\x85", 2},
                  {'_', "\xc2\xa0", 2},
                  {'L', "\xe2\x80\xa8", 3},
                  {'P', "\xe2\x80\xa9", 3}};
    char c = yaml_look(r, 0);
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (simple[i].c != c)
            continue;
        r->at++;
        buf_add(&r->scratch, slice_of(simple[i].text, simple[i].n));
        return OK;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (!digits)
        return yaml_fail_here(r, "no such escape in a double-quoted text (in single quotes a "
                                 "backslash is itself)");
    r->at++;
    return escape_hex(r, digits);
}

enum status yaml_quoted(struct yaml_reader *r, struct yaml_node **node)
{
    struct yaml_place begin = yaml_here(r);
    char quote = yaml_look(r, 0);
    size_t keep = 0; /* what an escape made is not trimmed */
    buf_clear(&r->scratch);
    r->at++;
    for (;;) {
        size_t from = r->at;
        char c;
        while ((c = yaml_look(r, 0)) && c != quote && c != '\n' && (c != '\\' || quote == '\''))
            r->at++;
        add(&r->scratch, r, from, r->at);
        if (!c || yaml_at_marker(r))
            return yaml_fail(&r->b, begin, "a quoted text does not end");
        if (c == '\n') {
            trim_spaces(&r->scratch, keep);
            add_breaks(&r->scratch, skip_breaks(r));
        } else if (c == '\\') {
            r->at++;
            if (yaml_look(r, 0) == '\n') {
                size_t breaks = skip_breaks(r);
                for (size_t i = 1; i < breaks; i++)
                    buf_char(&r->scratch, '\n');
            } else {
                enum status s = escape(r);
                if (s != OK)
                    return s;
            }
            keep = r->scratch.n;
        } else if (quote == '\'' && yaml_look(r, 1) == '\'') {
            buf_char(&r->scratch, '\'');
            r->at += 2;
        } else {
            r->at++;
            return text_done(r, begin, YAML_STRING, node);
        }
    }
}

/* ---- plain ---- */

static bool plain_ends(const struct yaml_reader *r, char c, enum yaml_where where)
{
    char next = yaml_look(r, 1);
    if (c == ':')
        return yaml_is_blank(next) || (where == YAML_IN_FLOW && yaml_is_flow(next));
    if (c == '#')
        return r->at > 0 && yaml_is_space(r->text.p[r->at - 1]);
    return where == YAML_IN_FLOW && yaml_is_flow(c);
}

/* Whether the text goes on at the line that was reached: it is not the structure's. */
static bool plain_goes_on(const struct yaml_reader *r, size_t least, enum yaml_where where)
{
    char c = yaml_look(r, 0);
    if (!c || c == '#' || yaml_at_marker(r))
        return false;
    if (where == YAML_IN_FLOW)
        return !plain_ends(r, c, where);
    return r->content_at - r->line_at >= least;
}

enum status yaml_plain(struct yaml_reader *r, size_t least, enum yaml_where where,
                       struct yaml_node **node)
{
    struct yaml_place begin = yaml_here(r);
    char c = yaml_look(r, 0), next = yaml_look(r, 1);
    bool dash = c == '-' || c == '?' || c == ':';
    if (dash ? yaml_is_blank(next) || (where == YAML_IN_FLOW && yaml_is_flow(next))
             : c == '\0' || strchr(",[]{}#&*!|>'\"%@`", c) != NULL)
        return yaml_fail_here(r, "no value can begin with this character; put it in quotes");
    buf_clear(&r->scratch);
    for (;;) {
        size_t from = r->at, end = r->at;
        while ((c = yaml_look(r, 0)) && c != '\n' && !plain_ends(r, c, where)) {
            r->at++;
            if (!yaml_is_space(c))
                end = r->at;
        }
        add(&r->scratch, r, from, end);
        if (c != '\n')
            break;
        struct mark here = mark_of(r);
        size_t breaks = skip_breaks(r);
        if (!plain_goes_on(r, least, where)) {
            go_back(r, here);
            break;
        }
        add_breaks(&r->scratch, breaks);
    }
    return text_done(r, begin, yaml_kind_of_plain(buf_slice(&r->scratch)), node);
}

/* ---- block: | and > ---- */

struct block {
    bool folded;
    char chomp;    /* '-', '+' or 0 */
    size_t indent; /* spaces before each line's text */
};

static enum status block_header(struct yaml_reader *r, size_t least, struct block *block,
                                bool *given)
{
    block->folded = yaml_look(r, 0) == '>';
    r->at++;
    for (int i = 0; i < 2; i++) {
        char c = yaml_look(r, 0);
        if ((c == '-' || c == '+') && !block->chomp) {
            block->chomp = c;
        } else if (c >= '1' && c <= '9' && !*given) {
            *given = true;
            block->indent = (least ? least - 1 : 0) + (size_t)(c - '0');
        } else {
            break;
        }
        r->at++;
    }
    size_t before = r->at;
    skip_spaces(r);
    if (yaml_look(r, 0) == '#' && r->at > before)
        while (yaml_look(r, 0) && yaml_look(r, 0) != '\n')
            r->at++;
    if (yaml_look(r, 0) && yaml_look(r, 0) != '\n')
        return yaml_fail_here(r, "the text of a block value begins on the next line");
    if (yaml_look(r, 0))
        yaml_newline(r);
    return OK;
}

/* The indentation of the first line that has text; at most what the text allows. */
static void block_indent(struct yaml_reader *r, size_t least, struct block *block)
{
    struct mark begin = mark_of(r);
    while (r->at < r->text.n) {
        r->at = r->content_at;
        if (yaml_look(r, 0) != '\n')
            break;
        yaml_newline(r);
    }
    size_t indent = r->content_at - r->line_at;
    block->indent = indent > least ? indent : least;
    go_back(r, begin);
}

/* Adds the lines; the breaks behind the last one are counted for chomping. */
static size_t block_lines(struct yaml_reader *r, const struct block *block)
{
    size_t breaks = 0;
    bool first = true, spaced_before = false;
    while (r->at < r->text.n && !yaml_at_marker(r)) {
        size_t indent = r->content_at - r->line_at;
        char c = r->content_at < r->text.n ? r->text.p[r->content_at] : '\0';
        bool is_empty = c == '\n' || c == '\0';
        if (is_empty ? indent <= block->indent : indent < block->indent) {
            if (!is_empty)
                break;
            r->at = r->content_at;
        } else {
            r->at = r->line_at + block->indent;
            bool spaced = yaml_is_space(yaml_look(r, 0));
            if (block->folded && !first && !spaced && !spaced_before)
                add_breaks(&r->scratch, breaks);
            else
                for (size_t i = 0; i < breaks; i++)
                    buf_char(&r->scratch, '\n');
            size_t from = r->at;
            while (yaml_look(r, 0) && yaml_look(r, 0) != '\n')
                r->at++;
            add(&r->scratch, r, from, r->at);
            spaced_before = spaced;
            first = false;
            breaks = 0;
        }
        if (!yaml_look(r, 0))
            break;
        breaks++;
        yaml_newline(r);
    }
    return breaks;
}

enum status yaml_block(struct yaml_reader *r, size_t least, struct yaml_node **node)
{
    struct yaml_place begin = yaml_here(r);
    struct block block = {0};
    bool given = false;
    enum status s = block_header(r, least, &block, &given);
    if (s != OK)
        return s;
    if (!given)
        block_indent(r, least, &block);
    buf_clear(&r->scratch);
    size_t breaks = block_lines(r, &block);
    if (block.chomp == '+')
        for (size_t i = 0; i < breaks; i++)
            buf_char(&r->scratch, '\n');
    else if (block.chomp == 0 && breaks && r->scratch.n)
        buf_char(&r->scratch, '\n');
    return text_done(r, begin, YAML_STRING, node);
}
