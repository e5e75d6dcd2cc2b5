/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "run/check.h"
#include "run/metric.h"

/*
 * A payload's output into its metrics, for libFuzzer. The first byte says, in 255ths, how much of
 * the rest is its stdout; the other part is its stderr.
 */
int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    if (size == 0)
        return 0;

    gsize out_size = (size - 1) * data[0] / 255;
    g_autoptr(GBytes) out = g_bytes_new_static(data + 1, out_size);
    g_autoptr(GBytes) err = g_bytes_new_static(data + 1 + out_size, size - 1 - out_size);
    g_autofree char *problem = NULL;
    g_autoptr(GPtrArray) metrics = mf_metrics_from_output(out, err, &problem);
    MfCheckFacts facts = {.metrics = metrics, .problem = problem, .stderr_tail = err};
    g_autoptr(GPtrArray) details = mf_checks_judge(NULL, &facts);

    g_assert(details->len == (problem ? 1 : 0));
    g_assert(!problem || g_utf8_validate(problem, -1, NULL));
    for (guint i = 0; i < metrics->len; i++) {
        const MfMetric *metric = metrics->pdata[i];

        g_assert(isfinite(metric->value) && g_utf8_validate(metric->name, -1, NULL));
    }
    return 0;
}
