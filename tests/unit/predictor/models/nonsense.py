"""A model whose answer is no forecast."""

from predictor.models.process import answer

if __name__ == "__main__":
    answer(lambda question: b'{"mean": [[NaN]], "deviation": [[0]]}')
