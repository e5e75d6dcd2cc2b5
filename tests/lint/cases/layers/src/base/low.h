/* Looks up, at a layer that does not exist, and at a header without a layer. */
#include <glib.h>

#include "config.h"
#include "low-too.h"
#include "base/fd.h"
#include "machine/spec.h"
#include "util/misc.h"
