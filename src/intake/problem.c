#include "intake/problem.h"

#include "base/locale.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The problems of one input. `kept` is sorted: what is kept does not depend on which thread came
 * first. */
struct of_input {
    uint64_t total;
    struct problem *kept;
    uint32_t kept_n;
};

struct problems {
    pthread_mutex_t lock;
    uint64_t total;
    struct {
        struct of_input *at;
        size_t n, cap;
    } inputs;             /* by number of the input */
    struct problem *list; /* what problems_kept() gave out last */
};

struct problems *problems_new(void)
{
    struct problems *p = xcalloc(1, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void problems_free(struct problems *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->inputs.n; i++)
        free(p->inputs.at[i].kept);
    free(p->inputs.at);
    free(p->list);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int compare(const struct problem *a, const struct problem *b)
{
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return strcmp(a->what, b->what);
}

/* Keeps the first PROBLEMS_KEPT by offset. */
static void keep(struct of_input *in, const struct problem *new)
{
    if (!in->kept)
        in->kept = xcalloc(PROBLEMS_KEPT, sizeof *in->kept);
    uint32_t at = in->kept_n;
    while (at > 0 && compare(new, &in->kept[at - 1]) < 0)
        at--;
    if (at == PROBLEMS_KEPT)
        return;
    if (in->kept_n < PROBLEMS_KEPT)
        in->kept_n++;
    memmove(in->kept + at + 1, in->kept + at, (in->kept_n - 1 - at) * sizeof *in->kept);
    in->kept[at] = *new;
}

void problem_add(struct problems *p, uint32_t input, uint64_t offset, const char *format, ...)
{
    struct problem new = {.input = input, .offset = offset};
    va_list args;
    va_start(args, format);
    vsnprintf(new.what, sizeof new.what, locale_text(format), args);
    va_end(args);

    pthread_mutex_lock(&p->lock);
    while (p->inputs.n <= input)
        *VEC_PUSH(p->inputs) = (struct of_input){0};
    struct of_input *in = &p->inputs.at[input];
    p->total++;
    in->total++;
    keep(in, &new);
    pthread_mutex_unlock(&p->lock);
}

/* Asking locks too, which changes nothing that a caller can see. */
static struct problems *unlocked(const struct problems *p)
{
    return (struct problems *)(uintptr_t)p;
}

uint64_t problems_total(const struct problems *p)
{
    pthread_mutex_lock(&unlocked(p)->lock);
    uint64_t total = p->total;
    pthread_mutex_unlock(&unlocked(p)->lock);
    return total;
}

uint64_t problems_of(const struct problems *p, uint32_t input)
{
    pthread_mutex_lock(&unlocked(p)->lock);
    uint64_t total = input < p->inputs.n ? p->inputs.at[input].total : 0;
    pthread_mutex_unlock(&unlocked(p)->lock);
    return total;
}

size_t problems_kept(const struct problems *constant, const struct problem **list)
{
    struct problems *p = unlocked(constant);
    size_t n = 0;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->inputs.n; i++)
        n += p->inputs.at[i].kept_n;
    p->list = xrealloc(p->list, n ? n : 1, sizeof *p->list);
    n = 0;
    for (size_t i = 0; i < p->inputs.n; i++) {
        const struct of_input *in = &p->inputs.at[i];
        if (in->kept_n)
            memcpy(p->list + n, in->kept, in->kept_n * sizeof *p->list);
        n += in->kept_n;
    }
    *list = p->list;
    pthread_mutex_unlock(&p->lock);
    return n;
}
