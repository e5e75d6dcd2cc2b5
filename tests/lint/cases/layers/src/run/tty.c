#include "cli/print.h"
#  include "report/tty.h"
