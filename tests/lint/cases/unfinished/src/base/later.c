/* TODO: the rest */
int mktemp_template; /* work.XXXXXX is a template */
/* FIXME before the release */
int x; /* XXX */
