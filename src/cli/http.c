#include "cli/http.h"

#include "base/confine.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, CHUNK = 1 << 14 };

bool http_plain_url(const char *url, struct buf *out)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *plain = NULL;
    bool good = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
                curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_URL, &plain, 0) == CURLUE_OK;
    if (good)
        buf_add(out, slice_str(plain));
    curl_free(scheme);
    curl_free(plain);
    curl_url_cleanup(parts);
    return good;
}

/* ---- the process that asks ---- */

struct taking {
    struct buf *answer;
    size_t most;
};

static size_t take(char *bytes, size_t one, size_t n, void *to)
{
    struct taking *t = to;
    n *= one;
    if (n > t->most - t->answer->n)
        return 0; /* which ends it */
    buf_add(t->answer, slice_of(bytes, n));
    return n;
}

/* Names, certificates and what the C library loads to look names up. */
static enum status confine_client(struct error *err)
{
    static const char *const all[] = {"/etc",
                                      "/lib",
                                      "/usr/lib",
                                      "/usr/share/ca-certificates",
                                      "/usr/local/share/ca-certificates",
                                      "/run/systemd/resolve"};
    const char *there[sizeof all / sizeof *all];
    size_t n = 0;
    struct confine_report report;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (access(all[i], F_OK) == 0)
            there[n++] = all[i];
    return confine(&(struct confine_needs){.read = there, .read_n = n, .network = true}, &report,
                   err);
}

static enum status ask(const char *url, const char *type, struct slice body, size_t most,
                       struct buf *answer, struct error *err)
{
    char header[128], why[CURL_ERROR_SIZE] = "";
    struct taking taking = {answer, most};
    enum status status = confine_client(err);
    if (status != OK)
        return status;
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (!curl)
        return error_set(err, STATUS_SYSTEM, url, ERROR_NO_OFFSET, "can't use the network");
    snprintf(header, sizeof header, "Content-Type: %s", type);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "hikeshi");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.n);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taking);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = curl_easy_perform(curl);
    long http = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (code != CURLE_OK)
        status = error_set(err, STATUS_SYSTEM, url, ERROR_NO_OFFSET, "no answer: %s",
                           *why ? why : curl_easy_strerror(code));
    else if (http != 200)
        status = error_set(err, STATUS_SYSTEM, url, ERROR_NO_OFFSET,
                           "the server answers with status %ld", http);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

static bool write_all(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* What goes back: the error with its status, then the body. */
static _Noreturn void serve(int to, const char *url, const char *type, struct slice body,
                            size_t most)
{
    struct buf answer = {0};
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    err.status = ask(url, type, body, most, &answer, &err);
    bool done = write_all(to, &err, sizeof err) && write_all(to, answer.p, answer.n);
    _exit(done ? 0 : 1);
}

/* ---- who asks ---- */

/* The other process may have been taken over by who answered: its bytes are bounded and checked. */
static enum status take_back(int from, const char *url, size_t most, struct buf *answer,
                             struct error *err)
{
    struct buf all = {0};
    ssize_t n = 1;
    while (n > 0 && all.n <= sizeof *err + most) {
        n = read(from, buf_room(&all, CHUNK), CHUNK);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            all.n += (size_t)n;
    }
    struct error told = {.status = STATUS_SYSTEM};
    if (all.n >= sizeof told)
        memcpy(&told, all.p, sizeof told);
    enum status status = OK;
    told.where[sizeof told.where - 1] = told.what[sizeof told.what - 1] = '\0';
    if (all.n < sizeof told || all.n > sizeof told + most)
        status = error_set(err, STATUS_SYSTEM, url, ERROR_NO_OFFSET, "no answer");
    else if (told.status != OK)
        status = error_set(err, STATUS_SYSTEM, url, ERROR_NO_OFFSET, "%s", told.what);
    else
        buf_add(answer, slice_of(all.p + sizeof told, all.n - sizeof told));
    buf_free(&all);
    return status;
}

enum status http_post(const char *url, const char *type, struct slice body, size_t most,
                      struct buf *answer, struct error *err)
{
    int ends[2], left;
    if (pipe(ends) != 0)
        return error_system(err, url, "can't ask");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        serve(ends[1], url, type, body, most);
    }
    close(ends[1]);
    enum status status = child < 0 ? error_system(err, url, "can't ask")
                                   : take_back(ends[0], url, most, answer, err);
    close(ends[0]);
    while (child > 0 && waitpid(child, &left, 0) < 0 && errno == EINTR)
        ;
    return status;
}
