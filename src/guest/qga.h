/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The commands of the QEMU guest agent protocol (QEMU's docs/interop/qemu-ga-ref.rst): from the
 * text of one request to the object that answers it. Arguments are checked against each command's
 * table before the command sees them, so the readers below cannot fail.
 */
struct mfg_agent;

#define MFG_QGA_REASON_SIZE 512

struct mfg_qga_call {
    struct mfg_agent *agent; /* borrowed */
    json_object *arguments;  /* borrowed; NULL when there are none */
    json_object *value;      /* owned; the command's result, an empty object at first */
    char reason[MFG_QGA_REASON_SIZE];
};

enum mfg_qga_kind { MFG_QGA_INT, MFG_QGA_STRING, MFG_QGA_STRINGS, MFG_QGA_ALTERNATE };

struct mfg_qga_parameter {
    const char *name;
    enum mfg_qga_kind kind; /* ALTERNATE: the command checks the type */
    bool optional;
};

#define MFG_QGA_PARAMETERS_MAX 6

struct mfg_qga_command {
    const char *name;
    /* Fills in call->value, or returns false with one sentence in call->reason. */
    bool (*run)(struct mfg_qga_call *call);
    struct mfg_qga_parameter parameters[MFG_QGA_PARAMETERS_MAX];
    bool silent;    /* success is not answered */
    bool delimited; /* the answer begins with the byte 0xff */
};

struct mfg_qga_answer {
    json_object *object; /* owned; NULL: nothing is to be sent */
    bool delimited;
};

/* Runs the request that is the JSON text. */
struct mfg_qga_answer mfg_qga_handle(struct mfg_agent *agent, const char *text, size_t length);

/* The answer to what is no JSON. */
struct mfg_qga_answer mfg_qga_parse_error(const char *problem);

/* Checked argument readers. An absent one is 'fallback'; the strings are borrowed. */
int64_t mfg_qga_int(const struct mfg_qga_call *call, const char *name, int64_t fallback);
const char *mfg_qga_string(const struct mfg_qga_call *call, const char *name);
json_object *mfg_qga_get(const struct mfg_qga_call *call, const char *name);

/* Sets the reason and returns false. */
bool mfg_qga_fail(struct mfg_qga_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Files that a client has opened, by handle. */
struct mfg_qga_files {
    struct mfg_qga_file *first; /* owned */
    int64_t next_handle;
    size_t count;
};
void mfg_qga_files_clear(struct mfg_qga_files *files);

/* Programs that a client has started and whose end it has not asked for yet. */
struct mfg_qga_programs {
    struct mfg_qga_program *first; /* owned */
    size_t count;
};
void mfg_qga_programs_clear(struct mfg_agent *agent);
/* The command with streams has exited. */
void mfg_qga_programs_note_command(struct mfg_agent *agent, int status);

bool mfg_qga_exec(struct mfg_qga_call *call);
bool mfg_qga_exec_status(struct mfg_qga_call *call);
bool mfg_qga_file_open(struct mfg_qga_call *call);
bool mfg_qga_file_read(struct mfg_qga_call *call);
bool mfg_qga_file_write(struct mfg_qga_call *call);
bool mfg_qga_file_seek(struct mfg_qga_call *call);
bool mfg_qga_file_flush(struct mfg_qga_call *call);
bool mfg_qga_file_close(struct mfg_qga_call *call);
bool mfg_qga_get_time(struct mfg_qga_call *call);
bool mfg_qga_set_time(struct mfg_qga_call *call);
bool mfg_qga_get_osinfo(struct mfg_qga_call *call);
bool mfg_qga_get_host_name(struct mfg_qga_call *call);
bool mfg_qga_get_vcpus(struct mfg_qga_call *call);
bool mfg_qga_get_interfaces(struct mfg_qga_call *call);
bool mfg_qga_shutdown(struct mfg_qga_call *call);
