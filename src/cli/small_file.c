#include "cli/small_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum status small_file_read(const char *path, struct buf *bytes, struct error *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    size_t before = bytes->n;
    enum status status = OK;
    if (!file)
        return error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET, "can't open: %s",
                         strerrordesc_np(errno));
    for (size_t n = 1; n > 0 && bytes->n - before <= SMALL_FILE; bytes->n += n)
        n = fread(buf_room(bytes, BUFSIZ), 1, BUFSIZ, file);
    if (ferror(file))
        status = error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET, "can't read: %s",
                           strerrordesc_np(errno));
    else if (bytes->n - before > SMALL_FILE)
        status = error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET, "the file is too large");
    if (file != stdin)
        fclose(file);
    return status;
}
