#include "intake/reader.h"

const struct reader *const reader_table[] = {
    &evtx_reader,
    &json_reader,
    NULL,
};

const struct reader *reader_for(struct slice head, bool whole, struct slice name)
{
    const struct reader *best = NULL;
    int best_score = 0;
    for (size_t i = 0; reader_table[i]; i++) {
        int score = reader_table[i]->recognise(head, whole, name);
        if (score > best_score) {
            best_score = score;
            best = reader_table[i];
        }
    }
    return best;
}
