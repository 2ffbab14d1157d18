/*
 * A server for tests: answers each HTTP POST with what a command makes of its body.
 *
 *     answer COMMAND      prints its port; COMMAND (sh) reads the body and writes the answer;
 *                         when it fails the answer is status 500
 *
 * It ends with its standard input.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

/* Reads head and body; returns the body's length, and its place in *body. */
static size_t read_request(int from, char *bytes, char **body)
{
    size_t n = 0, length = 0;
    *body = NULL;
    while (n < MOST - 1 && (!*body || (size_t)(bytes + n - *body) < length)) {
        ssize_t got = read(from, bytes + n, MOST - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        bytes[n] = '\0';
        char *end = strstr(bytes, "\r\n\r\n");
        if (*body || !end)
            continue;
        *body = end + 4;
        const char *field = strcasestr(bytes, "\r\ncontent-length:");
        length = field ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
    }
    return *body ? (size_t)(bytes + n - *body) : 0;
}

/* Runs the command on a file with the body; returns its status, the answer in the other file. */
static int run(const char *command, FILE *in, FILE *out)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(in), STDIN_FILENO);
        dup2(fileno(out), STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status;
}

static void serve(int to, const char *command)
{
    static char bytes[MOST];
    char *body;
    size_t n = read_request(to, bytes, &body);
    FILE *in = tmpfile(), *out = tmpfile();
    if (!in || !out)
        abort();
    fwrite(body, 1, n, in);
    fflush(in);
    rewind(in);
    int failed = run(command, in, out);
    fseek(out, 0, SEEK_END);
    long length = ftell(out);
    dprintf(to, "HTTP/1.1 %s\r\nContent-Length: %ld\r\nConnection: close\r\n\r\n",
            failed ? "500 no" : "200 OK", length);
    rewind(out);
    for (size_t got; (got = fread(bytes, 1, MOST, out)) > 0;)
        if (write(to, bytes, got) < 0)
            break;
    fclose(in);
    fclose(out);
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (argc != 2 || listener < 0 || bind(listener, (struct sockaddr *)&here, n) != 0 ||
        listen(listener, 4) != 0 || getsockname(listener, (struct sockaddr *)&here, &n) != 0)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    struct pollfd wait[] = {{.fd = listener, .events = POLLIN},
                            {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(wait, 2, -1) > 0 && !wait[1].revents) {
        int one = accept(listener, NULL, NULL);
        if (one < 0)
            continue;
        serve(one, argv[1]);
        close(one);
    }
    return 0;
}
