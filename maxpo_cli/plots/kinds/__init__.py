"""The kinds of figures, one module each; `plots.plot` finds every module that has a `KIND`."""
