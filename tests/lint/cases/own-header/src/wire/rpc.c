/* The own header comes second. */
#include <glib.h>

#include "wire/rpc.h"
