#include "report/csv.h"

#include "report/term.h"

/* What begins a formula: in ASCII, and the full-width forms that Japanese editions of spreadsheets
 * take as the same (OWASP, CSV Injection). */
static bool begins_formula(struct slice s)
{
    static const char *const full_width[] = {"＝", "＋", "－", "＠"};
    if (s.n && s.p[0] && strchr("=+-@", s.p[0]))
        return true;
    for (size_t i = 0; i < sizeof full_width / sizeof *full_width; i++)
        if (slice_starts(s, slice_str(full_width[i])))
            return true;
    return false;
}

/* Most text is printable ASCII without quotes, which stands as it is. */
static bool is_plain(struct slice s)
{
    unsigned odd = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        odd |= (unsigned)(c < ' ') | (unsigned)(c >= 0x7f) | (unsigned)(c == '"');
    }
    return !odd;
}

static void add_quoted(struct buf *b, struct slice s)
{
    const char *quote;
    for (; s.n && (quote = memchr(s.p, '"', s.n));
         s = slice_sub(s, (size_t)(quote - s.p) + 1, s.n)) {
        buf_add(b, slice_sub(s, 0, (size_t)(quote - s.p) + 1));
        buf_char(b, '"');
    }
    buf_add(b, s);
}

void csv_cell(struct buf *b, struct slice s)
{
    struct buf clean = {0};
    bool first = !b->n || b->p[b->n - 1] == '\n', plain = is_plain(s);
    if (!plain) {
        term_clean(&clean, s);
        s = buf_slice(&clean);
    }
    buf_add(b, first ? SLICE("\"") : SLICE(",\""));
    if (begins_formula(s))
        buf_char(b, '\'');
    if (plain)
        buf_add(b, s);
    else
        add_quoted(b, s);
    buf_char(b, '"');
    buf_free(&clean);
}
