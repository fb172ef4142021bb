"""Make a synthetic county that carries the true names of Haiyan; nothing in it is a survey."""
