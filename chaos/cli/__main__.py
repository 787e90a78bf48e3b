"""
``python -m chaos.cli`` is the ``chaos`` command.
"""

import sys

from chaos.cli import main

sys.exit(main())
