#include "wire/frame.h"

#include <gio/gio.h>
#include <zlib.h>

#include "base/error.h"
