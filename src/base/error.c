#include "base/error.h"
#include "base/locale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const char *error_reason(int number)
{
    static const char *const common[] = {
        N_("Permission denied"),
        N_("No such file or directory"),
        N_("Is a directory"),
        N_("Not a directory"),
        N_("No space left on device"),
        N_("Disk quota exceeded"),
        N_("File too large"),
        N_("File name too long"),
        N_("Read-only file system"),
        N_("Input/output error"),
        N_("Operation not permitted"),
        N_("Too many open files"),
        N_("Too many levels of symbolic links"),
        N_("Broken pipe"),
    };
    (void)common; /* only there to be translated: it is the C library that says them */
    const char *text = strerrordesc_np(number);
    return text ? _(text) : _("unknown error");
}

enum status error_vset(struct error *err, enum status status, const char *where, uint64_t offset,
                       const char *format, va_list args)
{
    if (!err)
        return status;
    err->status = status;
    err->offset = offset;
    err->column = 0;
    snprintf(err->where, sizeof err->where, "%s", where ? where : "");
    vsnprintf(err->what, sizeof err->what, locale_text(format), args);
    return status;
}

enum status error_set(struct error *err, enum status status, const char *where, uint64_t offset,
                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, status, where, offset, format, args);
    va_end(args);
    return status;
}

enum status error_system(struct error *err, const char *where, const char *format, ...)
{
    int saved = errno;
    if (!err)
        return STATUS_SYSTEM;
    va_list args;
    va_start(args, format);
    error_vset(err, STATUS_SYSTEM, where, ERROR_NO_OFFSET, format, args);
    va_end(args);
    size_t n = strlen(err->what);
    snprintf(err->what + n, sizeof err->what - n, ": %s", error_reason(saved));
    return STATUS_SYSTEM;
}

void error_print(const struct error *err, FILE *out)
{
    fputs("hikeshi: ", out);
    if (err->where[0]) {
        fputs(err->where, out);
        if (err->offset != ERROR_NO_OFFSET)
            fprintf(out, ":%" PRIu64, err->offset);
        if (err->offset != ERROR_NO_OFFSET && err->column)
            fprintf(out, ":%" PRIu32, err->column);
        fputs(": ", out);
    }
    fputs(err->what, out);
    fputc('\n', out);
}
