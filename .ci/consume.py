#!/usr/bin/env python3
"""Compiles and runs each whole program of the README and the guides as a user does who pastes it: in a folder of its own, with the packages alone.

A whole program is a block of C# that begins with using lines. Blocks without them are parts of docs/snippets, and a test compares the two.
Usage: consume.py FOLDER_WITH_PACKAGES
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = re.compile(r"^```csharp\n(using [A-Z][\w.]*;\n.*?)^```", re.MULTILINE | re.DOTALL)

# The library's packages come from the folder. What they depend on has been restored for the repository, and no other source is asked.
CONFIG = f"""<configuration>
  <packageSources><clear /><add key="packed" value="{PACKAGES}" /></packageSources>
  <fallbackPackageFolders><add key="restored" value="{pathlib.Path.home()}/.nuget/packages" /></fallbackPackageFolders>
  <config><add key="globalPackagesFolder" value="packages" /></config>
</configuration>"""

# The line of the README against warnings that the program might run elsewhere.
LINUX = re.search(r"^\[assembly: .*\]$", (ROOT / "README.md").read_text(), re.MULTILINE)[0]


def version(package):
    pattern = re.compile(re.escape(package) + r"\.(\d.*)\.nupkg")
    return next(match[1] for file in PACKAGES.iterdir() if (match := pattern.fullmatch(file.name)))


def project(source):
    """The project that "dotnet new" and "dotnet add package" would make."""
    names = ["Waterspout"] + [f"Waterspout.{name}" for name in ("Hosting", "Testing") if f"using Waterspout.{name};" in source]
    if "WebHost.UseWaterspout" in source:
        names.append("Waterspout.Kestrel")
    if "UseWaterspoutTransport" in source:
        names.append("Waterspout.Orleans")
    references = {name: version(name) for name in names}
    central = (ROOT / "Directory.Packages.props").read_text()
    for name, sign in (("Microsoft.Extensions.Hosting", "Host.CreateApplicationBuilder"), ("Microsoft.Orleans.Server", "UseOrleans("), ("xunit.v3", "using Xunit;")):
        # Orleans brings a later version of the host.
        if sign in source and not (name == "Microsoft.Extensions.Hosting" and "UseOrleans(" in source):
            references[name] = re.search(f'Include="{re.escape(name)}" Version="(.*?)"', central)[1]
    items = "".join(f'<PackageReference Include="{name}" Version="{number}" />' for name, number in references.items())
    return f"""<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
  </PropertyGroup>
  <ItemGroup>{items}</ItemGroup>
</Project>"""


def run(folder, source):
    """Whether the program ends by itself, or is a server that ends when it is asked to."""
    if "example.com" in source:
        return True
    command = ["timeout", "--preserve-status", "--signal=TERM", "8", "dotnet", f"{folder}/bin/Release/net10.0/{folder.name}.dll"]
    result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        print(result.stdout)
    return result.returncode == 0


def main():
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("src/*/README.md"))]
    programs = [(page, source) for page in pages for source in PROGRAM.findall(page.read_text())]
    with tempfile.TemporaryDirectory() as temporary:
        place = pathlib.Path(temporary)
        (place / "nuget.config").write_text(CONFIG)
        folders = []
        for number, (page, source) in enumerate(programs):
            folder = place / f"Program{number}"
            folder.mkdir()
            (folder / f"{folder.name}.csproj").write_text(project(source))
            (folder / "Program.cs").write_text(source)
            (folder / "Platform.cs").write_text(LINUX)
            folders.append(folder)
            print(f"   {folder.name}: {page.relative_to(ROOT)}")
        (place / "All.proj").write_text(
            '<Project DefaultTargets="Build"><ItemGroup><P Include="*/*.csproj" /></ItemGroup>'
            '<Target Name="Restore"><MSBuild Projects="@(P)" Targets="Restore" /></Target>'
            '<Target Name="Build"><MSBuild Projects="@(P)" Properties="Configuration=Release" BuildInParallel="true" /></Target></Project>')
        if subprocess.run(["dotnet", "build", "All.proj", "-v", "quiet", "-nologo"], cwd=place).returncode != 0:
            return 1
        failed = [folder.name for folder, (_, source) in zip(folders, programs) if not run(folder, source)]
        print(f"   {len(programs)} programs" + (f", failed: {failed}" if failed else ""))
        return 1 if failed or not programs else 0


sys.exit(main())
