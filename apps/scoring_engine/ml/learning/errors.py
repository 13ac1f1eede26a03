"""What can be wrong with what a person brings to training."""


class TrainingError(ValueError):
    """One sentence for the person who trains: what is wrong, and where (file, column, row)."""


class RecipeError(TrainingError):
    """The recipe cannot be read or contradicts itself."""


class TableError(TrainingError):
    """The table does not hold what the recipe says it holds."""
