"""Finds the EWS URL of an address with exchangelib, as a program that uses it does, and opens the inbox."""

import json
import sys

from exchangelib import Account, Credentials
from exchangelib.folders import Inbox

address, password, protocol = sys.argv[1:]
result = {}
try:
    account = Account(address, credentials=Credentials(address, password), autodiscover=protocol)
    result["URL"] = account.protocol.service_endpoint
    result["Folder"] = Inbox.get_distinguished(account.root).name
except Exception as error:
    result["Failed"] = f"{type(error).__name__}: {error}"
print(json.dumps(result))
