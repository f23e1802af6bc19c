"""The gateway's second door: the Open Inference Protocol, version 2, over gRPC.

Belongs here: messages, what each call is answered, and the server that carries them. The only room that imports grpcio
and protobuf; `wiring` loads it where a gateway is asked for the door, and nothing else of the gateway knows it.
Never here: choosing, checking, inferring, logging, counting. A call is a `Request` like any other and goes the same
way.
"""
