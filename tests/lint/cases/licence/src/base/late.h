#pragma once

int late;
/* SPDX-License-Identifier: Apache-2.0 */
