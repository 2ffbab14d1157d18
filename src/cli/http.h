/*
 * One request by HTTP, made by a process of its own, which is confined before it connects: it can reach
 * the network, and read what names and certificates need, and nothing else; all it can do is to hand
 * bytes back. So who asks can be confined from all networks.
 *
 *     http_post(url, "application/timestamp-query", request, most, &answer, &err);
 *
 * Proxies are those of the environment (https_proxy and so on), as curl has them.
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the answer's body, at most `most` bytes. STATUS_SYSTEM when there is none, it is larger, or
 * its status is not 200. Before threads start. */
enum status http_post(const char *url, const char *type, struct slice body, size_t most,
                      struct buf *answer, struct error *err);

/* Appends the URL without a user's name and password; false when it is no URL of http or https. */
bool http_plain_url(const char *url, struct buf *out);

#endif
