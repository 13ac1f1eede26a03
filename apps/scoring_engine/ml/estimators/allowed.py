"""Every name that the file of an estimator may hold, exactly: no prefixes, no patterns, nothing that calls what it is
given.

PLAIN are made empty (`cls.__new__(cls)`) and then given their attributes. MADE are made from arguments, each by a rule
of its own in trace.py. NUMBER_TYPES only ever stand as a value, of an attribute such as OneHotEncoder.dtype.
"""

from functools import cache
from importlib import import_module
from typing import Any

Key = tuple[str, str]

_SKLEARN = {
    "calibration": ("CalibratedClassifierCV", "_CalibratedClassifier", "_SigmoidCalibration"),
    "compose._column_transformer": ("ColumnTransformer",),
    "discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "dummy": ("DummyClassifier",),
    "ensemble._bagging": ("BaggingClassifier",),
    "ensemble._forest": ("ExtraTreesClassifier", "RandomForestClassifier"),
    "ensemble._gb": ("GradientBoostingClassifier",),
    "ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
    "ensemble._hist_gradient_boosting.gradient_boosting": ("HistGradientBoostingClassifier",),
    "ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "ensemble._stacking": ("StackingClassifier",),
    "ensemble._voting": ("VotingClassifier",),
    "ensemble._weight_boosting": ("AdaBoostClassifier",),
    "impute._base": ("MissingIndicator", "SimpleImputer"),
    "isotonic": ("IsotonicRegression",),
    "linear_model._logistic": ("LogisticRegression", "LogisticRegressionCV"),
    "linear_model._stochastic_gradient": ("SGDClassifier",),
    "naive_bayes": ("BernoulliNB", "GaussianNB"),
    "neural_network._multilayer_perceptron": ("MLPClassifier",),
    "neural_network._stochastic_optimizers": ("AdamOptimizer", "SGDOptimizer"),
    "pipeline": ("Pipeline",),
    "preprocessing._data": (
        "MaxAbsScaler", "MinMaxScaler", "PowerTransformer", "QuantileTransformer", "RobustScaler", "StandardScaler",
    ),
    "preprocessing._discretization": ("KBinsDiscretizer",),
    "preprocessing._encoders": ("OneHotEncoder", "OrdinalEncoder"),
    "preprocessing._label": ("LabelBinarizer", "LabelEncoder"),
    "preprocessing._polynomial": ("PolynomialFeatures",),
    "preprocessing._target_encoder": ("TargetEncoder",),
    "tree._classes": ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier"),
    "utils._bunch": ("Bunch",),
    "_loss.link": ("Interval", "LogitLink"),
    "_loss.loss": ("HalfBinomialLoss",),
}  # fmt: skip

ARRAY_WRAPPER: Key = ("joblib.numpy_pickle", "NumpyArrayWrapper")
NDARRAY: Key = ("numpy", "ndarray")
BOOSTER: Key = ("lightgbm.basic", "Booster")
LIGHTGBM: Key = ("lightgbm.sklearn", "LGBMClassifier")
BUNCH: Key = ("sklearn.utils._bunch", "Bunch")
TREE: Key = ("sklearn.tree._tree", "Tree")
TREE_PREDICTOR: Key = ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor")
ORDERED: Key = ("collections", "OrderedDict")
DEFAULTED: Key = ("collections", "defaultdict")
SEED: Key = ("numpy.random.bit_generator", "SeedSequence")
GENERATORS: tuple[Key, ...] = (("numpy.random._mt19937", "MT19937"), ("numpy.random._pcg64", "PCG64"))
LOSS: Key = ("sklearn._loss._loss", "CyHalfBinomialLoss")

PLAIN: frozenset[Key] = frozenset(
    {(f"sklearn.{module}", name) for module, names in _SKLEARN.items() for name in names}
    | {ARRAY_WRAPPER, BOOSTER, LIGHTGBM}
)
NUMBER_TYPES: frozenset[Key] = frozenset(
    {("numpy", name) for name in ("float32", "float64", "int32", "int64", "uint8", "bool", "bool_")}
    | {("builtins", name) for name in ("float", "int", "bool", "str", "object")}
)
MADE: frozenset[Key] = frozenset(
    {
        TREE, LOSS, ORDERED, DEFAULTED,
        ("builtins", "slice"),
        ("numpy", "dtype"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.random._pickle", "__bit_generator_ctor"),
        ("numpy.random._pickle", "__generator_ctor"),
        ("numpy.random._pickle", "__randomstate_ctor"),
        ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
    }
)  # fmt: skip
ALLOWED: frozenset[Key] = PLAIN | NUMBER_TYPES | MADE | {NDARRAY, SEED, *GENERATORS}
# What predicts: the outermost object of a file is one of these.
CLASSIFIERS: frozenset[Key] = frozenset(
    {
        key
        for key in PLAIN
        if key[1].endswith(("Classifier", "ClassifierCV", "DiscriminantAnalysis", "NB", "LogisticRegression"))
        and not key[1].startswith("_")
    }
    | {("sklearn.linear_model._logistic", "LogisticRegressionCV"), ("sklearn.pipeline", "Pipeline")}
)
# Of a model made of these alone each column adds its own part to the log-odds, whatever the others are.
ADDITIVE: frozenset[str] = frozenset(
    ".".join(key)
    for key in PLAIN
    if key[1] in (
        "LogisticRegression", "LogisticRegressionCV", "Pipeline", "ColumnTransformer", "MissingIndicator",
        "SimpleImputer", "MaxAbsScaler", "MinMaxScaler", "PowerTransformer", "QuantileTransformer", "RobustScaler",
        "StandardScaler", "KBinsDiscretizer", "OneHotEncoder", "OrdinalEncoder",
    )
)  # fmt: skip


@cache
def resolve(key: Key) -> Any:
    """The object of an allowed name; the check is the caller's."""
    module, name = key
    return getattr(import_module(module), name)
