// What the library's own interface shows.
@_exported public import GuestTree
@_exported public import HostIO
@_exported public import ImageFormats
@_exported public import Machines
@_exported public import Patcher
@_exported public import Storage

/// The version of the engine and of the command.
public let diskGraftVersion = "0.1.0"
