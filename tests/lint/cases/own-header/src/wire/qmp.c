#include "wire/qmp.h"

#include <glib.h>
