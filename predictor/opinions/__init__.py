"""Second opinions: what classical models say of the few series whose policies ask for them, at the leads of an hour and more.

`outlook` is what a model said; `mix` weighs it against the engine's forecast; `opinion` is one series, `opinions` all;
`fitting` has the models fitted, by `predictor.models`, off the beat. The engine knows nothing of it.
"""
