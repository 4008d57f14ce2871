"""Finds the EWS URL of an address with the library of evolution-ews, as Evolution's account assistant does, and signs in."""

import ctypes
import json
import sys

address, password = (text.encode() for text in sys.argv[1:])
gobject = ctypes.CDLL("libgobject-2.0.so.0")
camel = ctypes.CDLL("libcamel-1.2.so.64")
eds = ctypes.CDLL("libedataserver-1.2.so.27")
ews = ctypes.CDLL("/usr/lib/evolution-ews/libevolution-ews.so")


class Error(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


def function(library, name, result, *arguments):
    f = library[name]
    f.restype, f.argtypes = result, arguments
    return f


pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
settings_type = function(ews, "camel_ews_settings_get_type", ctypes.c_size_t)
new = function(gobject, "g_object_new", pointer, ctypes.c_size_t, text, text, text)
new_source = function(eds, "e_source_new", pointer, pointer, text, pointer)
discover = function(ews, "e_ews_autodiscover_ws_url_sync", number, pointer, pointer, text, text, pointer, pointer,
                    pointer, pointer)
url = function(ews, "camel_ews_settings_get_hosturl", text, pointer)
connect = function(ews, "e_ews_connection_new", pointer, pointer, text, pointer)
new_credentials = function(eds, "e_named_parameters_new", pointer)
set_credential = function(eds, "e_named_parameters_set", None, pointer, text, text)
sign_in = function(ews, "e_ews_connection_try_credentials_sync", number, pointer, pointer, pointer, pointer, pointer,
                   pointer, pointer)

source = new_source(None, None, None)
settings = new(settings_type(), b"user", address, None)
failed = ctypes.POINTER(Error)()
result = {}
if discover(source, settings, address, password, None, None, None, ctypes.byref(failed)):
    result["URL"] = url(settings).decode()
    credentials = new_credentials()
    set_credential(credentials, b"username", address)
    set_credential(credentials, b"password", password)
    connection = connect(source, url(settings), settings)
    if sign_in(connection, credentials, None, None, None, None, ctypes.byref(failed)) == 2:  # accepted
        result["Folder"] = "signed in"
if failed:
    result["Failed"] = failed.contents.message.decode()
print(json.dumps(result))
