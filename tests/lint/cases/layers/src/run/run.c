/* Looks down and at its own layer only. "report/tty.h" is no include here. */
#include "run/run.h"

#include <gio/gio.h>

#include "base/error.h"
#include "machine/launch.h"
#include "run/step.h"
