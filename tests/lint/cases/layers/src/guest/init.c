#include "guest/init.h"

#include <glib.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "guest/mounts.h"
#include "wire/frame.h"
#include "wire/qmp.h"
