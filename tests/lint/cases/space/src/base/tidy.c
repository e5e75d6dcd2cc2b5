int tidy;
