"""
The network of a lab as values: link rules, toxics, the mesh's addresses and packet rules, Toxiproxy's API.
"""
