"""How many pairs of names are told rightly, by class and at other thresholds. Run as `python -m benchmarks.names`."""

from apps.common.tests.name_pairs import HELD_OUT, TUNED_ON, Pairs, wrong_pairs

THRESHOLDS = (0.80, 0.84, 0.86, 0.87, 0.88, 0.89, 0.90, 0.92, 0.94, 0.96)


def print_figures(pairs: Pairs) -> None:
    wrong = list(wrong_pairs(pairs))
    for truth, classes in pairs.items():
        for name, examples in classes.items():
            missed = sum(pair[:2] == (truth, name) for pair in wrong)
            print(f"{truth:9} {name:28} {len(examples) - missed:3} of {len(examples)}")
        total, missed = sum(map(len, classes.values())), sum(pair[0] == truth for pair in wrong)
        print(f"{truth:9} {'all':28} {total - missed:3} of {total}")
    for truth, name, one, other, found in wrong:
        print(f"wrong: {truth} {name}: {one} | {other} {found:.3f}")
    for threshold in THRESHOLDS:
        missed = [pair[0] for pair in wrong_pairs(pairs, threshold)]
        same, different = missed.count("same"), missed.count("different")
        print(f"at {threshold:.2f}: {same} same told as different, {different} the reverse")


if __name__ == "__main__":
    for title, pairs in (("tuned on", TUNED_ON), ("held out", HELD_OUT)):
        print(title)
        print_figures(pairs)
