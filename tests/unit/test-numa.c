/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/numa.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"

static void
test_nodes_are_read_as_documented(void)
{
    g_autoptr(MfNumaNode) bare = mf_numa_node_parse("512", NULL);
    g_autoptr(MfNumaNode) one = mf_numa_node_parse("1G,cpus=3", NULL);
    g_autoptr(MfNumaNode) none = mf_numa_node_parse("0,cpus=0-3", NULL);

    g_assert_cmpuint(bare->memory, ==, 512 * MF_MIB);
    g_assert_null(bare->cpus);
    g_assert_cmpuint(one->memory, ==, MF_GIB);
    g_assert_cmpstr(one->cpus, ==, "3");
    g_assert_cmpuint(none->memory, ==, 0);
    g_assert_cmpstr(none->cpus, ==, "0-3");
}

static void
test_bad_nodes_are_refused(void)
{
    static const char *const bad[] = {"",
                                      ",cpus=0",
                                      "512,",
                                      "512,cpus=",
                                      "512,cpu=0",
                                      "512,cpus=1-0",
                                      "512,cpus=-1",
                                      "512,cpus=0-",
                                      "512,cpus=0,1",
                                      "512,cpus=a",
                                      "x,cpus=0",
                                      "512,cpus=0-1-2"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", bad[i]);
        g_assert_null(mf_numa_node_parse(bad[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

/* Checks the nodes that 'texts' (in one, by spaces) stand for. */
static gboolean
check(const char *texts, guint cpus, GError **error)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_numa_node_free);
    g_auto(GStrv) words = g_strsplit(texts, " ", -1);

    for (char **word = words; *word; word++) {
        MfNumaNode *node = mf_numa_node_parse(*word, NULL);

        g_assert_nonnull(node);
        g_ptr_array_add(nodes, node);
    }
    return mf_numa_check(nodes, cpus, error);
}

static void
test_nodes_that_make_a_machine_are_taken(void)
{
    g_assert_true(check("512", 2, NULL));
    g_assert_true(check("512 512", 2, NULL));
    g_assert_true(check("512,cpus=0 512,cpus=1", 2, NULL));
    g_assert_true(check("512 0,cpus=0-1", 2, NULL));
    g_assert_true(check("512,cpus=1 512,cpus=0", 2, NULL));
}

static void
test_nodes_that_make_no_machine_are_refused(void)
{
    static const struct {
        const char *nodes, *words;
    } bad[] = {
        {"0 512", "node 0 has 0 bytes"},
        {"1K", "has 1024 bytes of memory: expected whole MiB"},
        {"512,cpus=0 512", "CPU 1 is in no NUMA node"},
        {"512,cpus=0-2", "has CPU 2, and the machine has only 2"},
        {"512,cpus=0-1 512,cpus=1", "CPU 1 of 2 is in two NUMA nodes"},
        {"16777215T 1T 512", "have more memory together"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(check(bad[i].nodes, 2, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].words));
    }
}

static void
test_there_are_as_many_nodes_as_qemu_takes(void)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_numa_node_free);

    for (guint i = 0; i < MF_NUMA_NODES_MAX; i++)
        g_ptr_array_add(nodes, mf_numa_node_new(MF_MIB, NULL));
    g_assert_true(mf_numa_check(nodes, 1, NULL));
    g_assert_cmpuint(mf_numa_get_memory(nodes), ==, MF_NUMA_NODES_MAX * MF_MIB);
    g_ptr_array_add(nodes, mf_numa_node_new(MF_MIB, NULL));
    g_assert_false(mf_numa_check(nodes, 1, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/numa/nodes-are-read-as-documented", test_nodes_are_read_as_documented);
    g_test_add_func("/numa/bad-nodes-are-refused", test_bad_nodes_are_refused);
    g_test_add_func("/numa/nodes-that-make-a-machine-are-taken",
                    test_nodes_that_make_a_machine_are_taken);
    g_test_add_func("/numa/nodes-that-make-no-machine-are-refused",
                    test_nodes_that_make_no_machine_are_refused);
    g_test_add_func("/numa/there-are-as-many-nodes-as-qemu-takes",
                    test_there_are_as_many_nodes_as_qemu_takes);
    return g_test_run();
}
