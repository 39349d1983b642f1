import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'lookalike[sklearn]'")
