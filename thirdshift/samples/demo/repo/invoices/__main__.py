import sys

from invoices.cli import main

sys.exit(main())
