/* Has no header of its own. */
#include <glib.h>
