; The Windows installer, for Inno Setup 6. Written, never run: packaging/README.md.
;   iscc /DVersion=0.1.0 packaging\windows\fkd-desktop.iss
; after "python packaging\build.py", which leaves the programs in dist\fkd-desktop.

#ifndef Version
  #error Give the version that fkd_desktop/__init__.py says: iscc /DVersion=0.1.0
#endif

[Setup]
AppId=org.fkd_desktop.fkd_desktop
AppName=FKD Desktop
AppVersion={#Version}
AppPublisher=The FKD Desktop developers
; For one user, without an administrator's password; who wants it for all is asked.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
DefaultDirName={autopf}\FKD Desktop
DefaultGroupName=FKD Desktop
DisableProgramGroupPage=yes
LicenseFile=..\..\LICENSE
SetupIconFile=..\..\assets\icons\fkd-desktop.ico
UninstallDisplayIcon={app}\fkd-desktop.exe
OutputDir=..\..\dist
OutputBaseFilename=fkd-desktop-{#Version}-setup
Compression=lzma2
SolidCompression=yes
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
; A running window is asked to close before its files are replaced.
CloseApplications=yes

[Languages]
Name: "english"; MessagesFile: "compiler:Default.isl"
Name: "german"; MessagesFile: "compiler:Languages\German.isl"

[Files]
Source: "..\..\dist\fkd-desktop\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
; The same AppUserModelID as the window's, so that the taskbar groups them.
Name: "{autoprograms}\FKD Desktop"; Filename: "{app}\fkd-desktop.exe"; AppUserModelID: "org.fkd_desktop.fkd_desktop"

[Run]
Filename: "{app}\fkd-desktop.exe"; Description: "{cm:LaunchProgram,FKD Desktop}"; Flags: nowait postinstall skipifsilent

; Settings, weights and logs are the user's own (%LOCALAPPDATA%\fkd-desktop) and stay.
