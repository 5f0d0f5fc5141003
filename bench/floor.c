/* The floor: what reading, storing and sending a stream costs when nothing else is done.

   One thread and one epoll. A POST's body goes to the model as it is; each event that comes back is stored in SQLite by
   the statement that WonderCam uses, in a table of the same shape, and is sent to its reader after the commit:

       all sockets that are ready -> events -> one transaction -> one send for each reader

   It has no users, no tokens, no limits, no conversations, no metrics; it resumes nothing and serves no second reader.
   Whatever goes wrong with one connection closes it, whatever goes wrong with the database ends the program.

       floor PORT MODEL_PORT DATABASE
*/

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { READY = 512, PIECE = 64 * 1024, ID = 32 };

/* Bytes that grow. */
struct bytes {
    char *at;
    size_t length, capacity;
};

/* A connection to a reader, or that reader's connection to the model. `text`: a body without its chunks' frames. */
struct connection {
    int descriptor, is_model, has_head, is_touched, is_over;
    struct connection *peer, *next_touched;
    struct bytes in, text, out;
    char id[ID + 1];
    int seq;
    double began;
};

static int poller, listener;
static unsigned short model_port;
static sqlite3 *database;
static sqlite3_stmt *begin, *commit, *new_stream, *new_event, *end_stream;
static struct connection *touched;
static int is_writing;

static const char *const SCHEMA =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;"
    "CREATE TABLE chat_stream (id char(32) NOT NULL PRIMARY KEY, status varchar(11) NOT NULL, epoch integer NOT NULL);"
    "CREATE TABLE chat_event (stream_id char(32) NOT NULL, seq integer unsigned NOT NULL CHECK (seq >= 0),"
    " \"at\" bigint unsigned NOT NULL CHECK (\"at\" >= 0), data text NOT NULL, PRIMARY KEY (stream_id, seq))";

static const char *const HEAD =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
    "X-Stream-Id: %s\r\nTransfer-Encoding: chunked\r\n\r\n";

static const char *const OK =
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"OK\"}],\"role\":\"model\"},\"index\":0}]}";

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s, %s\n", what, strerror(errno), database ? sqlite3_errmsg(database) : "");
    exit(1);
}

static void append(struct bytes *to, const char *data, size_t length)
{
    if (to->length + length > to->capacity) {
        to->capacity = 2 * (to->length + length) + 256;
        if ((to->at = realloc(to->at, to->capacity)) == NULL)
            fail("memory");
    }
    memcpy(to->at + to->length, data, length);
    to->length += length;
}

static void drop(struct bytes *from, size_t length)
{
    from->length -= length;
    memmove(from->at, from->at + length, from->length);
}

/* The database */

static sqlite3_stmt *prepared(const char *text)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        fail(text);
    return statement;
}

static void run(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail("statement");
    sqlite3_reset(statement);
}

static void open_database(const char *path)
{
    if (sqlite3_open(path, &database) != SQLITE_OK || sqlite3_exec(database, SCHEMA, NULL, NULL, NULL) != SQLITE_OK)
        fail(path);
    begin = prepared("BEGIN IMMEDIATE");
    commit = prepared("COMMIT");
    new_stream = prepared("INSERT INTO chat_stream VALUES (?, 'running', 1)");
    end_stream = prepared("UPDATE chat_stream SET status = 'complete', epoch = epoch + 1 WHERE id = ? AND epoch = 1");
    new_event = prepared(
        "INSERT INTO chat_event (stream_id, seq, \"at\", data) SELECT n.column1, n.column2, n.column3, n.column4"
        " FROM (VALUES (?, ?, ?, ?, 1)) n CROSS JOIN chat_stream s"
        " ON s.id = n.column1 AND s.epoch = n.column5 AND s.status = 'running'");
}

static void write_of(struct connection *reader, sqlite3_stmt *statement)
{
    if (!is_writing)
        run(begin);
    is_writing = 1;
    sqlite3_bind_text(statement, 1, reader->id, ID, SQLITE_STATIC);
    run(statement);
}

/* Connections */

static void watch(struct connection *one, int operation, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = one};
    if (epoll_ctl(poller, operation, one->descriptor, &event) < 0)
        fail("epoll_ctl");
}

static struct connection *connected(int descriptor, struct connection *peer)
{
    struct connection *one = calloc(1, sizeof *one);
    int yes = 1;
    if (one == NULL)
        fail("memory");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    *one = (struct connection){.descriptor = descriptor, .peer = peer, .is_model = peer != NULL};
    watch(one, EPOLL_CTL_ADD, peer != NULL ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return one;
}

static void touch(struct connection *one)
{
    if (one->is_touched)
        return;
    one->is_touched = 1;
    one->next_touched = touched;
    touched = one;
}

/* What it has still to send is dropped; it is freed after the batch, in which it may still stand. */
static void end(struct connection *one)
{
    one->is_over = 1;
    one->out.length = 0;
    touch(one);
}

static void close_both(struct connection *one)
{
    end(one);
    if (one->peer != NULL)
        end(one->peer);
}

static void flush(struct connection *one)
{
    ssize_t sent = 0;
    if (one->out.length && (sent = send(one->descriptor, one->out.at, one->out.length, MSG_NOSIGNAL)) < 0) {
        if (errno != EAGAIN)
            close_both(one);
        sent = 0;
    }
    if (sent)
        drop(&one->out, sent);
    if (one->out.length)
        watch(one, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void send_chunk(struct connection *reader, const char *data, size_t length)
{
    char size[24];
    append(&reader->out, size, snprintf(size, sizeof size, "%zx\r\n", length));
    append(&reader->out, data, length);
    append(&reader->out, "\r\n", 2);
    touch(reader);
}

/* From the model to the reader */

static void store(struct connection *reader, const char *data, size_t length)
{
    static struct bytes frame;
    char id[ID + 32];
    sqlite3_bind_int(new_event, 2, reader->seq);
    sqlite3_bind_int64(new_event, 3, (sqlite3_int64)(now() - reader->began));
    sqlite3_bind_text(new_event, 4, data, length, SQLITE_STATIC);
    write_of(reader, new_event);
    frame.length = 0;
    append(&frame, id, snprintf(id, sizeof id, "id: %s:%d\ndata: ", reader->id, reader->seq++));
    append(&frame, data, length);
    append(&frame, "\n\n", 2);
    send_chunk(reader, frame.at, frame.length);
}

static void finish(struct connection *reader)
{
    write_of(reader, end_stream);
    send_chunk(reader, "data: [DONE]\n\n", 14);
    append(&reader->out, "0\r\n\r\n", 5);
    reader->is_over = 1;
}

/* Every whole event of the text: one line of data, as the bench's model sends them. */
static void take_events(struct connection *model)
{
    char *blank;
    size_t used = 0;
    while ((blank = memmem(model->text.at + used, model->text.length - used, "\r\n\r\n", 4)) != NULL) {
        char *event = model->text.at + used;
        if (strncmp(event, "data: ", 6) == 0)
            store(model->peer, event + 6, blank - event - 6);
        used = blank + 4 - model->text.at;
    }
    drop(&model->text, used);
}

static void take_answer(struct connection *model)
{
    char *end;
    size_t used = 0;
    if (!model->has_head) {
        if ((end = memmem(model->in.at, model->in.length, "\r\n\r\n", 4)) == NULL)
            return;
        model->has_head = 1;
        used = end + 4 - model->in.at;
    }
    while ((end = memmem(model->in.at + used, model->in.length - used, "\r\n", 2)) != NULL) {
        size_t start = end + 2 - model->in.at, size = strtoul(model->in.at + used, NULL, 16);
        if (model->in.length < start + size + 2)
            break;
        append(&model->text, model->in.at + start, size);
        used = start + size + 2;
        if (size == 0) {
            take_events(model);
            finish(model->peer);
            model->is_over = 1;
            touch(model);
            return;
        }
    }
    drop(&model->in, used);
    take_events(model);
}

/* From the reader to the model */

static void ask(struct connection *reader, const char *body, size_t length)
{
    char head[256], random[ID / 2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(model_port)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (descriptor < 0 || (connect(descriptor, (void *)&address, sizeof address) < 0 && errno != EINPROGRESS))
        fail("the model");
    if (getrandom(random, sizeof random, 0) < 0)
        fail("getrandom");
    for (int i = 0; i < ID / 2; i++)
        sprintf(reader->id + 2 * i, "%02x", (unsigned char)random[i]);
    reader->peer = connected(descriptor, reader);
    reader->began = now();
    append(&reader->peer->out, head, snprintf(head, sizeof head,
        "POST /v1beta/models/bench:streamGenerateContent?alt=sse HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", length));
    append(&reader->peer->out, body, length);
    write_of(reader, new_stream);
    append(&reader->out, head, snprintf(head, sizeof head, HEAD, reader->id));
    store(reader, OK, strlen(OK));
}

static void take_request(struct connection *reader)
{
    char *end = memmem(reader->in.at, reader->in.length, "\r\n\r\n", 4), *length;
    size_t head, body;
    if (end == NULL || reader->peer != NULL)
        return;
    *end = 0;
    head = end + 4 - reader->in.at;
    length = strcasestr(reader->in.at, "\r\ncontent-length:");
    body = length ? strtoul(length + 17, NULL, 10) : 0;
    *end = '\r';
    if (reader->in.length < head + body)
        return;
    if (strncmp(reader->in.at, "POST ", 5) == 0)
        ask(reader, reader->in.at + head, body);
    else {
        append(&reader->out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38);
        touch(reader);
    }
    drop(&reader->in, head + body);
}

/* The loop */

static void read_from(struct connection *one)
{
    static char piece[PIECE];
    ssize_t got = recv(one->descriptor, piece, sizeof piece, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_both(one);
        return;
    }
    append(&one->in, piece, got);
    (one->is_model ? take_answer : take_request)(one);
}

static void accept_all(void)
{
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        connected(descriptor, NULL);
}

static void free_connection(struct connection *one)
{
    close(one->descriptor);
    if (one->peer != NULL)
        one->peer->peer = NULL;
    free(one->in.at);
    free(one->text.at);
    free(one->out.at);
    free(one);
}

static void send_all(void)
{
    if (is_writing)
        run(commit);
    is_writing = 0;
    for (struct connection *one = touched; one != NULL; one = one->next_touched)
        flush(one);
    while (touched != NULL) {
        struct connection *one = touched;
        touched = one->next_touched;
        one->is_touched = 0;
        if (one->is_over && one->out.length == 0)
            free_connection(one);
    }
}

static void take(struct epoll_event *event)
{
    struct connection *one = event->data.ptr;
    if (one == NULL) {
        accept_all();
        return;
    }
    if (event->events & EPOLLOUT) {
        watch(one, EPOLL_CTL_MOD, EPOLLIN);
        touch(one);
    }
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        one->is_over ? end(one) : read_from(one);
}

int main(int count, char **arguments)
{
    static struct epoll_event ready[READY];
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event accepting = {.events = EPOLLIN};
    int yes = 1;
    if (count != 4)
        return 2;
    address.sin_port = htons(atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    model_port = atoi(arguments[2]);
    open_database(arguments[3]);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        fail("listen");
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepting);
    for (;;) {
        int found = epoll_wait(poller, ready, READY, -1);
        for (int i = 0; i < found; i++)
            take(&ready[i]);
        send_all();
    }
}
