/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that 'size' bytes become, without a NUL. */
size_t mfg_base64_encoded_size(size_t size);

/* Writes that many characters to 'text'. */
void mfg_base64_encode(const uint8_t *data, size_t size, char *text);

/* Decodes all of 'text', in which line ends may stand anywhere. Returns false for anything that is
 * not base64, missing padding included, and when there is no memory. *ret_data is malloc'd, not
 * NULL, and has a NUL behind its *ret_size bytes. */
bool mfg_base64_decode(const char *text, size_t length, uint8_t **ret_data, size_t *ret_size);
