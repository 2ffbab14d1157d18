#include "cli/progress.h"

#include "base/locale.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR = 20, /* columns of the bar itself */
    WIDTH_UNKNOWN = 80,
    LINE_BYTES = 256,
};
#define REDRAW_NS (NS_PER_SECOND / 8)
#define FIRST_NS (NS_PER_SECOND / 3) /* what is quick needs no bar */

unsigned terminal_width(FILE *out)
{
    struct winsize size = {0};
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col ? size.ws_col : WIDTH_UNKNOWN;
}

void progress_begin(struct progress *p, FILE *out, enum progress_wish wish)
{
    unsigned width = terminal_width(out);
    *p = (struct progress){.begun = monotonic_ns(), .width = width ? width : WIDTH_UNKNOWN};
    if (wish == PROGRESS_ALWAYS || (wish == PROGRESS_AUTO && width))
        p->out = out;
    p->last = p->begun + FIRST_NS - REDRAW_NS;
}

void bytes_text(double bytes, char out[BYTES_TEXT])
{
    static const char units[] = " KMGTP";
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 2 < sizeof units; unit++)
        bytes /= 1000;
    if (unit == 0)
        snprintf(out, BYTES_TEXT, "%.0f B", bytes);
    else
        snprintf(out, BYTES_TEXT, bytes < 9.95 ? "%.1f %cB" : "%.0f %cB", bytes, units[unit]);
}

static void time_text(double seconds, char out[16])
{
    unsigned long s = seconds < 1e6 ? (unsigned long)(seconds + 0.5) : 999999;
    if (s < 60)
        snprintf(out, 16, "%lu s", s);
    else if (s < 3600)
        snprintf(out, 16, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(out, 16, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

/* English alone: it must fit a column count that is known. */
size_t progress_line(const struct intake_progress *now, double seconds, unsigned width, char *out,
                     size_t size)
{
    double part = now->bytes_total ? (double)now->bytes_done / (double)now->bytes_total : 0;
    if (part > 1)
        part = 1;
    double rate = seconds > 0 ? (double)now->bytes_done / seconds : 0;
    char bar[BAR + 1], done[BYTES_TEXT], speed[BYTES_TEXT], left[16] = "?";
    int filled = (int)(part * BAR);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR] = '\0';
    bytes_text((double)now->bytes_done, done);
    bytes_text(rate, speed);
    if (rate > 0 && now->bytes_total >= now->bytes_done)
        time_text((double)(now->bytes_total - now->bytes_done) / rate, left);
    int n = now->bytes_total
                ? snprintf(out, size, "[%s] %3.0f %%  %s  %s/s  %.0f events/s  %s left", bar,
                           part * 100, done, speed, seconds > 0 ? (double)now->events / seconds : 0,
                           left)
                : snprintf(out, size, "%s  %s/s  %.0f events/s", done, speed,
                           seconds > 0 ? (double)now->events / seconds : 0);
    size_t length = n > 0 ? (size_t)n : 0;
    if (length >= size)
        length = size - 1;
    if (length > width)
        length = width;
    out[length] = '\0';
    return length;
}

void progress_show(struct progress *p, const struct intake_progress *now)
{
    int64_t at = monotonic_ns();
    char line[LINE_BYTES];
    if (!p->out || at - p->last < REDRAW_NS)
        return;
    p->last = at;
    progress_line(now, (double)(at - p->begun) / NS_PER_SECOND, p->width - 1, line, sizeof line);
    fprintf(p->out, "\r%s\033[K", line);
    fflush(p->out);
    p->drawn = true;
}

void progress_hide(struct progress *p)
{
    if (p->drawn) {
        fputs("\r\033[K", p->out);
        fflush(p->out);
    }
    p->drawn = false;
}

void progress_end(struct progress *p)
{
    progress_hide(p);
    p->out = NULL;
}
