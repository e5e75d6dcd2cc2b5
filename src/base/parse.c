/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"

/* Behind the point of a number. */
#define FRACTION_DIGITS_MAX 9

/* In ms: what can be counted in nanoseconds too. */
#define DURATION_MAX_MS (G_MAXINT64 / 1000000)

/* Reads decimal digits at *at; FALSE when there is none or the number overflows. */
static gboolean
take_digits(const char **at, guint64 *ret_value)
{
    guint64 value = 0;
    const char *start = *at;

    for (; g_ascii_isdigit(**at); (*at)++) {
        if (!g_uint64_checked_mul(&value, value, 10) ||
            !g_uint64_checked_add(&value, value, (guint64)(**at - '0')))
            return FALSE;
    }
    *ret_value = value;
    return *at != start;
}

/* The multiplier of a size suffix, 0 when it is not one. */
static guint64
size_suffix(const char *suffix)
{
    static const char letters[] = "KMGT";
    const char *letter = *suffix ? strchr(letters, g_ascii_toupper(*suffix)) : NULL;

    if (!letter)
        return 0;
    if (suffix[1] != '\0' && g_ascii_strcasecmp(suffix + 1, "B") != 0 &&
        g_ascii_strcasecmp(suffix + 1, "iB") != 0)
        return 0;
    return G_GUINT64_CONSTANT(1) << (10 * (letter - letters + 1));
}

/* Passes over decimal digits; FALSE when there is none. */
static gboolean
skip_digits(const char **at)
{
    size_t count = strspn(*at, "0123456789");

    *at += count;
    return count > 0;
}

gboolean
mf_parse_is_written_as_size(const char *text)
{
    const char *at = text;

    return skip_digits(&at) && (*at == '\0' || size_suffix(at) > 0);
}

gboolean
mf_parse_size(const char *text, guint64 unit, guint64 *ret_bytes, GError **error)
{
    const char *at = text;
    guint64 number, bytes;

    if (take_digits(&at, &number)) {
        guint64 multiplier = *at ? size_suffix(at) : unit;

        if (multiplier && g_uint64_checked_mul(&bytes, number, multiplier)) {
            *ret_bytes = bytes;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                mf_parse_is_written_as_size(text)
                    ? "'%s' is too large: a size is less than 16777216T."
                    : "'%s' is not a size: expected a number with an optional K, M, G or T, such "
                      "as 512M.",
                text);
    return FALSE;
}

static gint64
duration_unit(const char **at)
{
    static const struct {
        const char *name;
        gint64 ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        size_t length = strlen(units[i].name);

        if (strncmp(*at, units[i].name, length) == 0 && !g_ascii_isalpha((*at)[length])) {
            *at += length;
            return units[i].ms;
        }
    }
    return 0;
}

/* One "12.5s" at *at, in ms. */
static gboolean
take_duration_part(const char **at, gboolean bare_allowed, gint64 *ret_ms)
{
    guint64 whole, fraction = 0, scale = 1;

    if (!take_digits(at, &whole))
        return FALSE;
    if (**at == '.') {
        const char *start = ++*at;

        if (!take_digits(at, &fraction) || *at - start > FRACTION_DIGITS_MAX)
            return FALSE;
        for (; start < *at; start++)
            scale *= 10;
    }

    gint64 unit = **at == '\0' && bare_allowed ? 1000 : duration_unit(at);
    if (unit == 0 || whole > (guint64)(DURATION_MAX_MS / unit))
        return FALSE;
    *ret_ms = (gint64)whole * unit + (gint64)(fraction * (guint64)unit / scale);
    return TRUE;
}

gboolean
mf_parse_is_written_as_duration(const char *text)
{
    const char *at = text;

    do {
        gboolean first = at == text;

        if (!skip_digits(&at))
            return FALSE;
        if (*at == '.') {
            const char *fraction = ++at;

            if (!skip_digits(&at) || at - fraction > FRACTION_DIGITS_MAX)
                return FALSE;
        }
        if (!(first && *at == '\0') && duration_unit(&at) == 0)
            return FALSE;
    } while (*at);
    return TRUE;
}

gboolean
mf_parse_duration(const char *text, gint64 *ret_ms, GError **error)
{
    const char *at = text;
    gint64 total = 0, part;
    gboolean good = *text != '\0';

    while (good && *at) {
        good = take_duration_part(&at, at == text, &part) && part <= DURATION_MAX_MS - total;
        if (good)
            total += part;
    }
    if (good) {
        *ret_ms = total;
        return TRUE;
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                mf_parse_is_written_as_duration(text)
                    ? "'%s' is too long: no more than 106751 days can be counted."
                    : "'%s' is not a duration: expected seconds or numbers with ms, s, m, h or d, "
                      "such as 90, 1m30s or 250ms.",
                text);
    return FALSE;
}

gboolean
mf_parse_uint(const char *text, const char *what, guint64 min, guint64 max, guint64 *ret_value,
              GError **error)
{
    const char *at = text;
    guint64 value;

    if (take_digits(&at, &value) && *at == '\0' && value >= min && value <= max) {
        *ret_value = value;
        return TRUE;
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not a %s: expected a number from %" G_GUINT64_FORMAT
                " to %" G_GUINT64_FORMAT ".",
                text, what, min, max);
    return FALSE;
}

gboolean
mf_parse_signal(const char *text, int *ret_signal, GError **error)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
        {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
        {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
        {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
        {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
        {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
        {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
        {"IO", SIGIO},     {"PWR", SIGPWR},       {"SYS", SIGSYS},
    };
    const char *name = g_ascii_strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    const char *at = text;
    guint64 number;

    if (take_digits(&at, &number) && *at == '\0' && number >= 1 && number <= 64) {
        *ret_signal = (int)number;
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        if (g_ascii_strcasecmp(name, signals[i].name) == 0) {
            *ret_signal = signals[i].number;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not a signal: expected a name such as SIGSEGV, or a number from 1 to 64.",
                text);
    return FALSE;
}

char *
mf_format_size(guint64 bytes)
{
    g_autofree char *text = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_auto(GStrv) words = g_strsplit(text, "\u00a0", 2);

    /* GLib's no-break space is not in every terminal's character set. */
    return g_strjoinv(" ", words);
}

char *
mf_format_duration(gint64 ms)
{
    if (ms < 1000)
        return g_strdup_printf("%" G_GINT64_FORMAT "ms", ms);
    if (ms < 60000)
        return ms % 1000 ? g_strdup_printf("%.1fs", (double)ms / 1000)
                         : g_strdup_printf("%" G_GINT64_FORMAT "s", ms / 1000);

    gint64 seconds = ms / 1000;
    if (seconds < 3600)
        return seconds % 60 ? g_strdup_printf("%" G_GINT64_FORMAT "m%" G_GINT64_FORMAT "s",
                                              seconds / 60, seconds % 60)
                            : g_strdup_printf("%" G_GINT64_FORMAT "m", seconds / 60);
    return g_strdup_printf("%" G_GINT64_FORMAT "h%" G_GINT64_FORMAT "m", seconds / 3600,
                           seconds % 3600 / 60);
}

char *
mf_format_number(double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(number))
        return g_strdup("NaN");
    /* The first is too short for some, the last is enough for all. */
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];

        g_snprintf(format, sizeof(format), "%%.%dg", digits);
        g_ascii_formatd(text, sizeof(text), format, number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    return g_strdup(text);
}

/* "a, b or c". Owned by the caller. */
static char *
list_names(const char *const *names)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; names[i]; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    return g_string_free(list, FALSE);
}

gboolean
mf_parse_choice(const char *text, const char *what, const char *const *names, guint *ret_index,
                GError **error)
{
    g_autofree char *list = NULL;

    for (guint i = 0; names[i]; i++) {
        if (g_str_equal(text, names[i])) {
            *ret_index = i;
            return TRUE;
        }
    }
    list = list_names(names);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' is not %s: expected %s.", text, what, list);
    return FALSE;
}
