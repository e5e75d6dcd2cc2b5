int trailing; 

int tab;	/* in the line */
int dos;
int end;