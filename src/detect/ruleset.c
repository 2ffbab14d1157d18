#include "detect/ruleset.h"

#include "base/files.h"
#include "base/text.h"
#include "base/vec.h"
#include "detect/correlation.h"
#include "detect/ruleset_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

struct ruleset *ruleset_new(void)
{
    return xcalloc(1, sizeof(struct ruleset));
}

void ruleset_free(struct ruleset *set)
{
    if (!set)
        return;
    free(set->loaded.at);
    free(set->rules.at);
    free(set->problems.at);
    free(set->filters.at);
    free(set->placeholders.at);
    map_free(&set->ids);
    map_free(&set->names);
    map_free(&set->files);
    map_free(&set->placeholder_names);
    arena_free(&set->arena);
    free(set);
}

size_t ruleset_count(const struct ruleset *set)
{
    return set->rules.n;
}

const struct sigma_rule *ruleset_rule(const struct ruleset *set, uint32_t index)
{
    return index < set->rules.n ? set->rules.at[index] : NULL;
}

size_t ruleset_problems(const struct ruleset *set, const struct rule_problem **list)
{
    *list = set->problems.at;
    return set->problems.n;
}

size_t ruleset_others(const struct ruleset *set)
{
    return set->others;
}

void ruleset_problem(struct ruleset *set, struct slice title, const struct error *err)
{
    *VEC_PUSH(set->problems) = (struct rule_problem){
        .path = arena_slice(&set->arena, slice_str(err->where)),
        .title = arena_slice(&set->arena, title),
        .line = err->offset == ERROR_NO_OFFSET ? 0 : (uint32_t)err->offset,
        .column = err->column,
        .what = arena_slice(&set->arena, slice_str(err->what)),
    };
}

struct sigma_rule *ruleset_find(const struct ruleset *set, struct slice id_or_name)
{
    struct arena a = {0};
    const uint32_t *found = map_get(&set->ids, text_fold(&a, id_or_name));
    if (!found)
        found = map_get(&set->names, id_or_name);
    arena_free(&a);
    return found ? set->loaded.at[*found].rule : NULL;
}

/* ---- placeholders ---- */

enum status ruleset_placeholders(struct ruleset *set, const char *path, struct error *err)
{
    struct arena scratch = {0};
    struct slice text;
    const struct yaml_node *root = NULL;
    enum status s = file_read(path, YAML_BYTES, &scratch, &text, err);
    if (s == OK)
        s = yaml_parse_one(text, path, &scratch, &root, err);
    if (s == OK && root->type != YAML_MAPPING)
        s = yaml_error(err, path, root, "placeholders are a map of names to values");
    struct rule_document doc = {.path = path};
    for (uint32_t i = 0; s == OK && i < root->n; i++) {
        struct placeholder made;
        s = rule_texts(set, &doc, "a placeholder's value", root->items[i], &made.values, &made.n,
                       err);
        struct slice name = root->keys[i]->text;
        if (name.n > 2 && slice_starts(name, SLICE("%")) && slice_ends(name, SLICE("%")))
            name = slice_sub(name, 1, name.n - 2);
        if (s == OK) {
            *map_put(&set->placeholder_names, name, NULL) = (uint32_t)set->placeholders.n;
            *VEC_PUSH(set->placeholders) = made;
        }
    }
    arena_free(&scratch);
    return s;
}

const struct slice *ruleset_placeholder(const struct ruleset *set, struct slice name, size_t *n)
{
    const uint32_t *found = map_get(&set->placeholder_names, name);
    *n = found ? set->placeholders.at[*found].n : 0;
    return found ? set->placeholders.at[*found].values : NULL;
}

/* ---- documents ---- */

enum {
    MERGE_STEPS = 4 * YAML_NODES, /* for `action` in one file */
    FILE_FAULTS = 100,            /* bad documents in one file: then its rest is left out */
};

/* One file while its documents are read. */
struct file {
    struct ruleset *set;
    const struct rule_choice *choice;
    struct slice path, source;
    struct arena *yaml;               /* the file's trees */
    const struct yaml_node *global;   /* what `action: global` gave, merged */
    const struct yaml_node *previous; /* for `action: repeat` */
    size_t merged;                    /* steps that merging took */
    size_t faults;                    /* documents that can't be used */
    bool named;                       /* by the user: then a file that holds no rule is a problem */
};

/* Remembers an id or name; false when another rule has it already. */
static bool claim(struct map *m, struct slice key, size_t index, const struct sigma_rule **other,
                  const struct ruleset *set)
{
    bool is_new;
    uint32_t *slot = map_put(m, key, &is_new);
    if (is_new)
        *slot = (uint32_t)index;
    else
        *other = set->loaded.at[*slot].rule;
    return is_new;
}

/* Adds a rule, unless its id or name is taken. `shares`: it has its id from `action: global` or
 * `action: repeat`, which gives several rules one id. */
static enum status add(struct file *f, const struct rule_document *doc, struct sigma_rule *rule,
                       bool shares, bool chosen, struct error *err)
{
    struct ruleset *set = f->set;
    const struct sigma_rule *other = NULL;
    const char *what = "id";
    if (rule->id.n)
        claim(&set->ids, text_fold(&set->arena, rule->id), set->loaded.n, &other, set);
    if (!other && rule->name.n) {
        what = "name";
        claim(&set->names, rule->name, set->loaded.n, &other, set);
    }
    if (other && !shares)
        return yaml_error(err, doc->path, yaml_get(doc->root, slice_str(what)),
                          "the %s is that of the rule at %.*s:%u already; give this one its own",
                          what, SLICE_ARG(other->path), other->line);
    rule->index = (uint32_t)set->loaded.n;
    rule->shared_id = shares;
    *VEC_PUSH(set->loaded) = (struct loaded_rule){
        .rule = rule,
        .chosen = chosen,
        .source = rule_source_is_chosen(rule, f->choice),
        .column = doc->root->column,
    };
    return OK;
}

/* The conditions of a plain rule; one, or a list of which one must hold. */
static enum status load_conditions(struct ruleset *set, const struct rule_document *doc,
                                   const struct yaml_node *detection, struct sigma_rule *rule,
                                   struct error *err)
{
    const struct yaml_node *list = yaml_get(detection, SLICE("condition"));
    uint32_t n = yaml_count(list);
    if (n == 0)
        return yaml_error(err, doc->path, detection, "the detection has no condition");
    struct slice *names = arena_zero(&set->arena, rule->searches_n, sizeof *names);
    for (uint32_t i = 0; i < rule->searches_n; i++)
        names[i] = rule->searches[i].name;
    rule->conditions = arena_zero(&set->arena, n, sizeof(struct sigma_condition *));
    for (uint32_t i = 0; i < n; i++) {
        enum status s = rule_condition(set, doc, yaml_at(list, i), names, rule->searches_n,
                                       &rule->conditions[i], err);
        if (s != OK)
            return s;
    }
    rule->conditions_n = rule->lacks.n ? 0 : n; /* without its placeholder nothing can match */
    return OK;
}

static enum status load_plain(struct ruleset *set, const struct rule_document *doc,
                              struct sigma_rule *rule, struct error *err)
{
    static const char *const others[] = {"condition", "timeframe", NULL};
    const struct yaml_node *detection = yaml_get(doc->root, SLICE("detection"));
    if (!detection)
        return yaml_error(err, doc->path, doc->root, "the rule has no 'detection'");
    enum status s = rule_searches(set, doc, detection, others, &rule->searches, &rule->searches_n,
                                  &rule->lacks, err);
    if (s == OK)
        s = load_conditions(set, doc, detection, rule, err);
    return s;
}

/* A rule of either kind. */
static void load_rule(struct file *f, const struct rule_document *doc, bool shares)
{
    struct ruleset *set = f->set;
    struct sigma_rule *rule = arena_zero(&set->arena, 1, sizeof *rule);
    rule->path = f->path;
    rule->line = doc->root->line;
    rule_hash(doc->root, rule->hash);
    bool correlation = yaml_get(doc->root, SLICE("correlation")) != NULL;
    bool chosen = true; /* until the attributes are known */
    struct error err;
    enum status s = rule_attributes(set, doc, rule, &err);
    if (s == OK && !correlation)
        s = rule_logsource(set, doc, &rule->logsource, &err);
    if (s == OK) {
        chosen = rule_is_chosen(rule, f->choice) &&
                 (correlation || rule_source_is_chosen(rule, f->choice));
        s = correlation ? correlation_load(set, doc, rule, &err) : load_plain(set, doc, rule, &err);
    }
    if (s == OK)
        s = add(f, doc, rule, shares, chosen, &err);
    if (s != OK && chosen)
        ruleset_problem(set, rule->title, &err);
    f->faults += s != OK;
}

/* Whether somebody meant it as a rule: other YAML lies beside rules too. */
static bool is_meant(const struct yaml_node *root)
{
    static const char *const sure[] = {"detection", "correlation", "filter", "logsource", "action"};
    static const char *const hints[] = {"id", "level", "status", "tags", "description"};
    for (size_t i = 0; i < sizeof sure / sizeof *sure; i++)
        if (yaml_get(root, slice_str(sure[i])))
            return true;
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (yaml_get(root, SLICE("title")) && yaml_get(root, slice_str(hints[i])))
            return true;
    return false;
}

/* Two maps as one: maps in them are merged likewise, for the rest `over` wins. `action` is left
 * out. NULL when merging has made too much. */
static const struct yaml_node *merge(struct file *f, const struct yaml_node *under,
                                     const struct yaml_node *over)
{
    if (!under || under->type != YAML_MAPPING || over->type != YAML_MAPPING)
        return over;
    f->merged += ((size_t)under->n + 1) * ((size_t)over->n + 1);
    if (f->merged > MERGE_STEPS)
        return NULL;
    struct yaml_node *made = arena_alloc(f->yaml, sizeof *made);
    *made = *over;
    made->n = 0;
    made->keys = arena_zero(f->yaml, (size_t)under->n + over->n, sizeof *made->keys);
    made->items = arena_zero(f->yaml, (size_t)under->n + over->n, sizeof *made->items);
    for (uint32_t i = 0; i < over->n + under->n; i++) {
        bool own = i < over->n;
        const struct yaml_node *from = own ? over : under;
        uint32_t k = own ? i : i - over->n;
        struct slice key = from->keys[k]->text;
        if (slice_equal(key, SLICE("action")) || (!own && yaml_get(over, key)))
            continue;
        const struct yaml_node *item = from->items[k];
        const struct yaml_node *below = own ? yaml_get(under, key) : NULL;
        if (below && !(item = merge(f, below, item)))
            return NULL;
        made->keys[made->n] = from->keys[k];
        made->items[made->n++] = (struct yaml_node *)(uintptr_t)item;
    }
    return made;
}

/* `action` (Sigma 1: collections of rules in a file). *root is what the document means with it;
 * NULL when it only prepares the following ones. */
static enum status act(struct file *f, struct rule_document *doc, bool *shares, struct error *err)
{
    const struct yaml_node *own = doc->root, *action = yaml_get(own, SLICE("action"));
    struct slice word = yaml_text(action);
    const struct yaml_node *under = f->global;
    bool global = action && slice_equal(word, SLICE("global"));
    if (action && slice_equal(word, SLICE("reset"))) {
        f->global = doc->root = NULL;
        return OK;
    }
    if (action && !global && !slice_equal(word, SLICE("repeat")))
        return yaml_error(err, doc->path, action, "'action' must be global, reset or repeat");
    if (action && !global) {
        under = f->previous;
        if (!under)
            return yaml_error(err, doc->path, action, "there is no rule before it to repeat");
    }
    *shares = under && (yaml_get(under, SLICE("id")) || yaml_get(under, SLICE("name")));
    doc->root = under || global ? merge(f, under ? under : own, own) : own;
    if (!doc->root)
        return yaml_error(err, doc->path, own, "merging the file's documents makes too much");
    if (global) {
        f->global = doc->root;
        doc->root = NULL;
    } else {
        f->previous = doc->root;
    }
    return OK;
}

static void load_document(struct file *f, const struct yaml_document *document)
{
    struct rule_document doc = {document->root, f->path.p, f->source};
    struct error err;
    bool shares = false;
    if (!doc.root)
        return;
    struct slice title = yaml_text(yaml_get(doc.root, SLICE("title")));
    enum status s = OK;
    if (!is_meant(doc.root)) {
        f->set->others++;
        if (!f->named)
            return;
        s = yaml_error(&err, f->path.p, doc.root,
                       "this is no Sigma rule: 'title', 'logsource' and 'detection' are missing");
    } else if (document->duplicate) {
        s = yaml_error(&err, f->path.p, document->duplicate,
                       "the key '%.*s' stands twice in its map; only one could count",
                       SLICE_ARG(document->duplicate->text));
    } else {
        s = act(f, &doc, &shares, &err);
    }
    if (s == OK && doc.root && yaml_get(doc.root, SLICE("filter")))
        s = filter_load(f->set, &doc, &err);
    else if (s == OK && doc.root)
        load_rule(f, &doc, shares);
    if (s != OK)
        ruleset_problem(f->set, title, &err);
    f->faults += s != OK;
}

static void load_file(struct file *f)
{
    struct yaml_documents documents;
    struct error err;
    enum status s = yaml_parse(f->source, f->path.p, f->yaml, &documents, &err);
    for (size_t i = 0; i < documents.n; i++) { /* those before an error are whole */
        if (f->faults == FILE_FAULTS) {
            s = error_set(&err, STATUS_BAD_INPUT, f->path.p, documents.at[i].line,
                          "the file has %d bad documents; the rest of it is left out", FILE_FAULTS);
            break;
        }
        load_document(f, &documents.at[i]);
    }
    if (s != OK)
        ruleset_problem(f->set, (struct slice){0}, &err);
    else if (documents.n == 0 && f->named) {
        error_set(&err, STATUS_BAD_INPUT, f->path.p, 1, "the file is empty");
        ruleset_problem(f->set, (struct slice){0}, &err);
    }
}

enum status ruleset_load_text(struct ruleset *set, struct slice yaml, const char *name,
                              const struct rule_choice *choice, struct error *err)
{
    (void)err; /* a text can always be read */
    static const struct rule_choice all = {0};
    struct arena trees = {0};
    struct file f = {.set = set,
                     .choice = choice ? choice : &all,
                     .path = arena_slice(&set->arena, slice_str(name)),
                     .source = yaml,
                     .yaml = &trees,
                     .named = true};
    load_file(&f);
    arena_free(&trees);
    return OK;
}

/* Whether this file was read before, by another of the paths given. */
static bool is_read(struct ruleset *set, const char *path)
{
    struct stat st;
    bool is_new = true;
    if (stat(path, &st) == 0) {
        const uint64_t key[] = {st.st_dev, st.st_ino};
        map_put(&set->files, slice_of(key, sizeof key), &is_new);
    }
    return !is_new;
}

enum status ruleset_load(struct ruleset *set, const char *path, const struct rule_choice *choice,
                         struct error *err)
{
    static const struct rule_choice all = {0};
    static const char *const endings[] = {".yml", ".yaml", NULL};
    struct file_list list = {0};
    struct arena names = {0}, scratch = {0};
    enum status s = folder_list(path, endings, &names, &list, err);
    for (size_t i = 0; s == OK && i < list.n; i++) {
        if (is_read(set, list.paths[i]))
            continue;
        struct file f = {.set = set,
                         .choice = choice ? choice : &all,
                         .path = arena_slice(&set->arena, slice_str(list.paths[i])),
                         .yaml = &scratch,
                         .named = strcmp(list.paths[i], path) == 0};
        s = file_read(list.paths[i], YAML_BYTES, &scratch, &f.source, err);
        if (s == OK) {
            load_file(&f);
        } else if (!f.named) { /* one bad file of a folder does not stop the rest */
            ruleset_problem(set, (struct slice){0}, err);
            s = OK;
        }
        arena_reset(&scratch);
    }
    file_list_free(&list);
    arena_free(&scratch);
    arena_free(&names);
    return s;
}
