"""The peer: a plain Django REST framework site that scores with LightGBM and logs nothing."""
